"""Tiny: a sentence-transformers model of three layers with random weights, made in a moment, for what fine-tunes one.

It is so wide within that the product's own small steps change what it says.
"""

from functools import partial

from skillagent.llm.embed import sentence_transformer
from skillagent.routing.finetune import finetune
from skillagent.trained import rows_by

_WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "plain", "checked", "go", "and", "it", "now", "do"]


def tiny(folder):
    """Write the model and return its folder."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(0)
    plain = folder / "plain"
    plain.mkdir(parents=True)
    (plain / "vocab.txt").write_text("\n".join(_WORDS), encoding="utf-8")
    BertTokenizerFast(str(plain / "vocab.txt")).save_pretrained(plain)
    size = {"hidden_size": 32, "intermediate_size": 2048, "num_attention_heads": 2, "num_hidden_layers": 3}
    config = BertConfig(vocab_size=len(_WORDS), max_position_embeddings=64, initializer_range=0.05, **size)
    BertModel(config).save_pretrained(plain)
    made = folder / "tiny"
    SentenceTransformer(modules=[Transformer(str(plain)), Pooling(32)], device="cpu").save(
        str(made), create_model_card=False
    )
    return made


def tuning(folder, **how):
    """Return what fine-tunes the model in a folder."""
    return partial(finetune, **{"load": lambda: sentence_transformer(str(folder)), "rows_by": rows_by} | how)
