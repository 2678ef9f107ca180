"""Which of several copies stays, why, and what would be lost with the others."""

from app.audits.rules import RULES, Candidate, File, Rules


def worth(one: Candidate, rules: Rules) -> tuple:
    """Sorts candidates, the keeper last. No two pictures of a collection are equal: the digest decides at the end."""
    return (*(RULES[name].worth(one, rules) for name in rules.order), one.digest, one.ours)


def best_first(candidates: list[Candidate], rules: Rules) -> list[Candidate]:
    return sorted(candidates, key=lambda one: worth(one, rules), reverse=True)


def reason(one: Candidate, other: Candidate, rules: Rules) -> str:
    """Why the first is kept rather than the other: what the first rule that tells them apart says."""
    decisive = (name for name in rules.order if RULES[name].worth(one, rules) != RULES[name].worth(other, rules))
    name = next(decisive, None)
    return (
        "equal by every rule: chosen by its digest, so that it is always the same"
        if name is None
        else _said(name, one, other)
    )


def files_best_first(one: Candidate, rules: Rules) -> list[File]:
    """Which of a picture's files stays: protected, in a preferred folder, written first, then by name."""
    return sorted(one.files, key=lambda file: (not rules.protects(file.path), _folder_rank(file, rules), *_age(file)))


def losses(one: Candidate, keeper: Candidate) -> list[str]:
    """What this one has and the keeper lacks, in words."""
    table = {
        f"a larger side ({max(one.height_px, one.width_px)} px)": _side(one) > _side(keeper),
        "where it was taken (GPS)": one.located and not keeper.located,
        f"when it was taken ({one.taken_at})": one.taken_at is not None and keeper.taken_at is None,
        f"its camera ({one.camera})": bool(one.camera) and not keeper.camera,
    }
    return [words for words, lost in table.items() if lost]


def _said(name: str, one: Candidate, other: Candidate) -> str:
    return RULES[name].says(one, other)


def _side(one: Candidate) -> int:
    return max(one.height_px, one.width_px)


def _folder_rank(file: File, rules: Rules) -> int:
    ranks = (number for number, folder in enumerate(rules.folders) if file.path.startswith(folder.rstrip("/") + "/"))
    return next(ranks, len(rules.folders))


def _age(file: File) -> tuple[int, int, str]:
    return file.mtime_ns, len(file.path), file.path
