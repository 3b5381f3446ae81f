"""LLM: language models and embedders behind the ports, their weights, meters and caches."""
