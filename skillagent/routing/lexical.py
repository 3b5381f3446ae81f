"""Lexical: BM25 over the full text of every item. Finds words that the query and an item share; knows no meaning."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def bm25_scores(query: str, documents: Sequence[str]) -> NDArray[np.float64]:
    """Return the BM25 score of every document, shape (len(documents),); all zero when no word is shared."""
    import bm25s

    if not documents:
        return np.zeros(0)
    corpus = bm25s.tokenize(list(documents), stopwords="en", show_progress=False, return_ids=False)
    words = bm25s.tokenize([query], stopwords="en", show_progress=False, return_ids=False)[0]
    known = {word for document in corpus for word in document}
    words = [word for word in words if word in known]
    if not words:
        return np.zeros(len(documents))
    index = bm25s.BM25()
    index.index(corpus, show_progress=False)
    return np.asarray(index.get_scores(words), dtype=np.float64)
