"""CLIP text encoders, which read a prompt chunk by chunk (Radford et al. 2021)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor

from scumble_core.models.prompts.chunks import Chunk, Word


class ClipEncoder:
    """A text encoder of transformers and its tokenizer. `name`: "clip_l" or "clip_g", as textual inversions name it.

    `penultimate`: the network reads the last layer's input (SDXL), else its output, normalised (SD 1.5). `device`: what
    the encoder runs on; "" where it lies.
    """

    def __init__(self, tokenizer: Any, encoder: Any, name: str, *, penultimate: bool, device: str = "") -> None:
        self._tokenizer = tokenizer
        self._encoder = encoder
        self._penultimate = penultimate
        self._device = device
        self.name = name
        comma = tokenizer.convert_tokens_to_ids(",</w>")
        self.comma: int | None = None if comma in (None, tokenizer.unk_token_id) else int(comma)
        self._empty: Tensor | None = None

    @property
    def capacity(self) -> int:
        """How many tokens a chunk holds between its first and its last: 75."""
        return int(self._tokenizer.model_max_length) - 2

    @property
    def width(self) -> int:
        return int(self._encoder.get_input_embeddings().weight.shape[1])

    def ids(self, text: str) -> list[int]:
        """The text's tokens, however many."""
        # Tokenizers warn of what they take for too long; here it is cut into chunks.
        return [int(each) for each in self._tokenizer(text, add_special_tokens=False, verbose=False).input_ids]

    def encode(self, chunks: Sequence[Chunk]) -> tuple[Tensor, Tensor | None]:
        """1 x tokens x width over all chunks; and 1 x projected width of the first, where the encoder projects.

        A word's weight says how far its vectors go from the empty prompt's at that place: 1 as far as they are.
        """
        encoded = [self._weighed(chunk) for chunk in chunks]
        return torch.cat([hidden for hidden, _ in encoded], dim=1), encoded[0][1]

    def _weighed(self, chunk: Chunk) -> tuple[Tensor, Tensor | None]:
        hidden, pooled = self._read(chunk)
        if all(word.weight == 1 for word in chunk):
            return hidden, pooled
        if self._empty is None:
            self._empty = self._read(())[0]
        weights = torch.ones(1, hidden.shape[1], 1, device=hidden.device, dtype=torch.float32)
        weights[0, 1 : len(chunk) + 1, 0] = torch.tensor([word.weight for word in chunk], device=hidden.device)
        moved = torch.lerp(self._empty.float(), hidden.float(), weights).to(hidden.dtype)
        return torch.where(weights == 1, hidden, moved), pooled

    def _read(self, chunk: Chunk) -> tuple[Tensor, Tensor | None]:
        tokenizer = self._tokenizer
        first, last, rest = tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id
        words = [first if word.embedding is not None else word.id for word in chunk]
        ids = [first, *words, last, *[rest] * (self.capacity - len(chunk))]
        shown = torch.tensor([ids], device=self._device or self._encoder.device)
        mask = None
        if getattr(self._encoder.config, "use_attention_mask", False):
            mask = torch.tensor([[1] * (len(chunk) + 2) + [0] * (self.capacity - len(chunk))], device=shown.device)
        with self._inverted(chunk):
            read = self._encoder(shown, attention_mask=mask, output_hidden_states=self._penultimate)
        pooled = read[0] if read[0].ndim == 2 else None
        if self._penultimate:
            return cast(Tensor, read.hidden_states[-2]), pooled
        return cast(Tensor, read.last_hidden_state), pooled

    @contextmanager
    def _inverted(self, chunk: Chunk) -> Iterator[None]:
        """While it lasts, the encoder sees textual inversions in their words' places."""
        places = [(place, word) for place, word in enumerate(chunk, start=1) if word.embedding is not None]
        if not places:
            yield
            return

        def replaced(_module: Any, _arguments: Any, output: Tensor) -> Tensor:
            output = output.clone()
            for place, word in places:
                output[:, place] = self._vector(word).to(output)
            return output

        hook = self._encoder.get_input_embeddings().register_forward_hook(replaced)
        try:
            yield
        finally:
            hook.remove()

    def _vector(self, word: Word) -> Tensor:
        assert word.embedding is not None
        return word.embedding.rows_for(self.name, self.width)[word.row]
