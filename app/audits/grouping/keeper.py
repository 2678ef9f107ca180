"""Which of several copies is kept, why, and what the others have that it lacks."""

from collections.abc import Iterable, Sequence

from app.audits.grouping.rules import FIRST, RULES, File, Rule, Rules

ALIKE = "as good as the other by every rule: the first by its content, then by its path"
WORTH_KEEPING = (
    # of a duplicate and its keeper: whether it has more, in words
    (lambda file, keeper: max(file.height_px, file.width_px) > max(keeper.height_px, keeper.width_px), "longer side"),
    (lambda file, keeper: file.located and not keeper.located, "GPS position"),
    (lambda file, keeper: file.taken_at is not None and keeper.taken_at is None, "date taken"),
    (lambda file, keeper: file.camera is not None and keeper.camera is None, "camera's data"),
)


class Ranking:
    """The order of files by an audit's rules. The same files are in the same order, whenever each of them came."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._ladder = [*FIRST.values(), *(RULES[name] for name in rules.order)]

    def sorted(self, files: Iterable[File]) -> list[File]:
        """The best first; the digest, then the path, settles what no rule does."""
        by_name = sorted(files, key=lambda file: (file.digest, file.path, file.location_id))
        return sorted(by_name, key=self._worth, reverse=True)

    def why_kept(self, keeper: File, others: Sequence[File]) -> str:
        """The rule that set it before the best of the others."""
        runner_up = self.sorted(others)[0]
        rule = self._decisive(keeper, runner_up)
        return ALIKE if rule is None else rule.better(keeper, runner_up)

    def why_not(self, file: File, keeper: File) -> str:
        rule = self._decisive(keeper, file)
        return ALIKE if rule is None else rule.worse(file, keeper)

    def _worth(self, file: File) -> tuple:
        return tuple(rule.worth(file, self._rules) for rule in self._ladder)

    def _decisive(self, better: File, worse: File) -> Rule | None:
        differ = (rule for rule in self._ladder if rule.worth(better, self._rules) != rule.worth(worse, self._rules))
        return next(differ, None)


def loses(file: File, keeper: File) -> list[str]:
    """What goes with this duplicate, in words."""
    return [words for has_more, words in WORTH_KEEPING if has_more(file, keeper)]
