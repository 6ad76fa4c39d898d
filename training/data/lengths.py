"""How many tokens a run's rows have, counted with the model's own tokenizer. Without torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recsys.llm.adapters import AdapterStore
from recsys.llm.registry import load_spec, prompt_format
from recsys.llm.vocabulary import Vocabulary
from recsys.settings import Paths
from training.config import TrainingConfig
from training.data.instructions import InstructionRow, TextRow, render_row
from training.data.pairs import PairRow, TextPair, render_pair
from training.data.splits import Prepared
from training.methods import prepared, trained_style

_SAMPLE = 500


class RowReader:
    """Rows as the model of a config reads them."""

    def __init__(self, config: TrainingConfig, gguf: Path, home: Path, vocabulary: Vocabulary) -> None:
        spec = load_spec(config.model)
        adapters = AdapterStore(Paths(home).adapters)
        parent = adapters.get(config.parent, spec.name) if config.parent else None
        style = trained_style(config, prompt_format(gguf, spec.style).style, parent)
        self._config = config
        self._format = prompt_format(gguf, style)
        self._vocabulary = vocabulary

    def prepared(self, rows: Sequence[Any]) -> Prepared[Any]:
        """Checked, rendered and split; raises NotEnoughPairsError, NotEnoughRowsError."""
        return prepared(self._config, rows, self._format, self._tokens)

    def longest(self, rows: Sequence[PairRow | InstructionRow], among: int = 16) -> int:
        """Tokens of the longest sequence, sought among the rows with most characters."""
        candidates = sorted(rows, key=lambda row: len(repr(row)))[-among:]
        return max((max(self.lengths(self._rendered(row))) for row in candidates), default=0)

    def lengths(self, row: TextRow | TextPair) -> list[int]:
        """Tokens of each sequence that the row becomes, cut at `max_length`: one for SFT, two for DPO."""
        answers = [row.chosen, row.rejected] if isinstance(row, TextPair) else [row.answer]
        counts = (len(ids) + 1 for ids in self._tokens([row.prompt + answer for answer in answers]))
        return [min(count, self._config.max_length) for count in counts]

    def sample(self, rows: Sequence[TextRow | TextPair]) -> list[list[int]]:
        """The lengths of every row, or of some hundreds spread evenly where there are more."""
        return [self.lengths(row) for row in rows[:: max(1, len(rows) // _SAMPLE)]]

    def _rendered(self, row: PairRow | InstructionRow) -> TextRow | TextPair:
        return render_pair(row, self._format) if isinstance(row, PairRow) else render_row(row, self._format)

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        return [self._vocabulary.tokens(text, special=True) for text in texts]


@contextmanager
def row_reader(config: TrainingConfig, gguf: Path, home: Path) -> Iterator[RowReader]:
    """A RowReader that frees the tokenizer at the end; raises ModelFileError, UnknownAdapterError."""
    vocabulary = Vocabulary(gguf)
    try:
        yield RowReader(config, gguf, home, vocabulary)
    finally:
        vocabulary.close()
