"""From edges, words and files to groups as they are stored. The same material gives the same groups."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.audits.grouping.keeper import Ranking, loses
from app.audits.grouping.rules import File, Rules
from app.audits.grouping.stars import Bond, Star, Tie, stars
from app.catalog.decisions import Digests, key
from app.catalog.pairs import Edge
from app.catalog.states import COPIES, LOOSER, PlaceKind, Role, Tier, Word

APART = {Word.DIFFERENT, Word.KEEP_BOTH}
UNNAMED = ("other",)  # of two that a person called copies and the check did not
ONE_FILE = "one file with the one that is kept, under another name: it frees nothing"


@dataclass(frozen=True)
class Material:
    """All that groups follow from."""

    edges: Sequence[Edge]
    said: Mapping[Digests, Word]
    files: Sequence[File]
    against: bool  # only files of the other collection are kept


@dataclass(frozen=True)
class PlannedMember:
    """A row of `Member`, but for its group and place."""

    image_id: int
    location_id: int
    role: Role
    tier: Tier | None
    score: float
    relations: list[str]
    reason: str
    loses: list[str]
    marked: bool
    linked: bool


@dataclass(frozen=True)
class PlannedGroup:
    """A row of `Group`, and its members in order, the keeper first."""

    keeper_id: int
    scene: bool
    tier: Tier
    weakest: float
    reclaimable_bytes: int
    members: tuple[PlannedMember, ...]


def planned(material: Material, rules: Rules) -> list[PlannedGroup]:
    plan = _Plan(material, rules)
    copies = plan.copies()
    taken = {image_id for star in copies for image_id in (star.keeper_id, *(tie.image_id for tie in star.ties))}
    alone = plan.at_several_places(taken)
    scenes = plan.scenes(taken | {star.keeper_id for star in alone})
    return [plan.group(star, scene=False) for star in (*copies, *alone)] + [plan.group(s, scene=True) for s in scenes]


class _Plan:
    def __init__(self, material: Material, rules: Rules) -> None:
        self._rules, self._ranking, self._against = rules, Ranking(rules), material.against
        self._said = material.said
        self._files = self._by_image(material.files)
        self._order = [file.image_id for file in self._ranking.sorted(files[0] for files in self._files.values())]
        self._keepers = {i for i in self._order if self._files[i][0].theirs} if material.against else None
        self._bonds = [bond for edge in material.edges if (bond := self._bond(edge)) is not None]

    def copies(self) -> list[Star]:
        bonds = (bond for bond in self._bonds if bond.tier in COPIES)
        return stars(self._order, bonds, self._apart(APART | {Word.SAME_SCENE}), self._keepers)

    def scenes(self, taken: set[int]) -> list[Star]:
        bonds = (bond for bond in self._bonds if bond.tier is Tier.SAME_SCENE)
        return stars(self._order, bonds, self._apart(APART), self._keepers, taken)

    def at_several_places(self, taken: set[int]) -> list[Star]:
        """Images whose bytes lie at several places are groups of their own where they have no other copy."""
        return [Star(i, ()) for i in self._order if len(self._files[i]) > 1 and i not in taken and not self._against]

    def group(self, star: Star, scene: bool) -> PlannedGroup:
        keeper = self._files[star.keeper_id][0]
        rest = self._rest(star)
        stays = {keeper.digest: keeper} if keeper.kind is PlaceKind.FILE else {}
        duplicates = [self._duplicate(file, tie, keeper, stays, scene) for file, tie in rest]
        others = [file for file, _ in rest]
        why = self._ranking.why_kept(keeper, others)
        first = PlannedMember(keeper.image_id, keeper.location_id, Role.KEEPER, None, 1.0, [], why, [], False, False)
        loosest = max((tie.tier for _, tie in rest), key=LOOSER.index)
        reclaimable = 0 if scene else self._freed(others, keeper)
        weakest = min(tie.score for _, tie in rest)
        return PlannedGroup(keeper.image_id, scene, loosest, weakest, reclaimable, (first, *duplicates))

    def _freed(self, others: Sequence[File], keeper: File) -> int:
        """Bytes. A file under several names is freed once, and only where every one of them may go."""
        stays = {file.body for file in others if not self._may_go(file, keeper)}
        goes = {file.body: file.size_bytes for file in others if self._may_go(file, keeper)}
        return sum(size for body, size in goes.items() if body not in stays)

    def _rest(self, star: Star) -> list[tuple[File, Tie]]:
        """Every file but the keeper's own, with what it is to that."""
        own = Tie(star.keeper_id, Tier.IDENTICAL, 1.0, ())
        mine = [] if self._against else [(file, own) for file in self._files[star.keeper_id][1:]]
        return mine + [(file, tie) for tie in star.ties for file in self._files[tie.image_id]]

    def _duplicate(self, file: File, tie: Tie, keeper: File, stays: dict[str, File], scene: bool) -> PlannedMember:
        """Marked only where the very bytes stay: in the keeper's file, or in a file before it."""
        twin = stays.get(file.digest)
        linked = file.body == keeper.body
        stands = twin is not None and twin.body != file.body  # one name of a file is no copy of the other
        marked = stands and self._may_go(file, keeper) and not scene
        if file.kind is PlaceKind.FILE and not marked:
            stays.setdefault(file.digest, file)
        tier = tie.tier if twin is None else Tier.IDENTICAL
        what = (tier, tie.score, list(tie.relations), self._why_not(file, twin, keeper), loses(file, keeper))
        return PlannedMember(file.image_id, file.location_id, Role.DUPLICATE, *what, marked, linked)

    def _why_not(self, file: File, twin: File | None, keeper: File) -> str:
        if file.body == keeper.body:
            return ONE_FILE
        return self._ranking.why_not(file, keeper) if twin in (None, keeper) else f"the same bytes as {twin.path}"

    def _may_go(self, file: File, keeper: File) -> bool:
        """Two collections may have one folder, and one file two names: then it is no copy of itself."""
        movable = file.kind is PlaceKind.FILE and not file.theirs and not self._rules.protects(file)
        return movable and file.path != keeper.path and file.body != keeper.body

    def _by_image(self, files: Iterable[File]) -> dict[int, list[File]]:
        """The best file of each image first; one on a disk before one in an archive, of the same bytes."""
        found: dict[int, list[File]] = defaultdict(list)
        for file in files:
            found[file.image_id].append(file)
        return {image_id: self._best_first(mine) for image_id, mine in found.items()}

    def _best_first(self, files: list[File]) -> list[File]:
        ordered = sorted(self._ranking.sorted(files), key=lambda file: file.kind is not PlaceKind.FILE)
        kept_all = self._said.get(key(files[0].digest, files[0].digest)) in APART
        return ordered[:1] if kept_all else ordered

    def _bond(self, edge: Edge) -> Bond | None:
        """An edge as a person's word has it, else as the check has; None where it joins nothing."""
        if edge.first_id not in self._files or edge.second_id not in self._files:
            return None
        word = self._said.get(key(self._digest(edge.first_id), self._digest(edge.second_id)))
        tier = _tier(edge.tier, word)
        if tier is None:
            return None
        named = [_named(relations, tier) for relations in (edge.relations, edge.relations_back)]
        return Bond(edge.first_id, edge.second_id, tier, edge.score or 0.0, *named)

    def _digest(self, image_id: int) -> str:
        return self._files[image_id][0].digest

    def _apart(self, words: set[Word]) -> dict[int, set[int]]:
        by_digest: dict[str, list[int]] = defaultdict(list)
        for image_id in self._files:
            by_digest[self._digest(image_id)].append(image_id)
        apart: dict[int, set[int]] = defaultdict(set)
        for (one, other), word in self._said.items():
            if word in words:
                _set_apart(apart, by_digest.get(one, ()), by_digest.get(other, ()))
        return apart


def _set_apart(apart: dict[int, set[int]], ones: Iterable[int], others: Sequence[int]) -> None:
    for one in ones:
        for other in others:
            if one != other:
                apart[one].add(other)
                apart[other].add(one)


def _named(relations: Sequence[str] | None, tier: Tier) -> tuple[str, ...]:
    return UNNAMED if relations is None and tier is Tier.EDITED else tuple(relations or ())


def _tier(checked: Tier | None, word: Word | None) -> Tier | None:
    """Of an edge; None: it joins nothing."""
    if word in APART:
        return None
    if word is Word.SAME_SCENE:
        return Tier.SAME_SCENE
    if word is Word.COPIES and checked not in COPIES:
        return Tier.EDITED
    return checked if checked in LOOSER else None
