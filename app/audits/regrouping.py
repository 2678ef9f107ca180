"""Groups from checked pairs and a person's words: worked out anew, written where something changed."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.audits import keeper as keepers
from app.audits.grouping import Matches, Star, as_pair, components, stars
from app.audits.rules import Candidate, File, Rules
from app.catalog import decisions, groups, pairs
from app.catalog.audit_models import Audit, Member
from app.catalog.pairs import COPIES, Edge
from app.catalog.states import Role, Tier, Word

LOOSENESS = {tier: number for number, tier in enumerate(Tier)}
APART = (Word.DIFFERENT, Word.SAME_SCENE, Word.KEEP_BOTH)  # never in one group of copies
NO_SCENE = (Word.DIFFERENT, Word.KEEP_BOTH)
Said = dict[tuple[int, int], Word]  # by image ids, the lower first


@dataclass(frozen=True)
class Draft:
    """A group as it should be; `members` are the rows' values, the keeper's first."""

    keeper_id: int
    scene: bool
    tier: Tier
    weakest: float
    reclaimable_bytes: int
    members: tuple[dict[str, Any], ...]

    def facts(self) -> dict[str, Any]:
        names = ("keeper_id", "scene", "tier", "weakest", "reclaimable_bytes")
        return {name: getattr(self, name) for name in names} | {"members": len(self.members)}


def regroup(session: Session, audit: Audit, image_ids: Collection[int] | None = None) -> None:
    """Bring the groups of these images, and of all that hangs together with them, up to date; without any, all.

    A group whose members are what they were keeps its id, its marks, and whether it is settled.
    """
    chosen = None if image_ids is None else _hanging_together(session, audit, image_ids)
    drafts = {(draft.keeper_id, draft.scene): draft for draft in _drafts(session, audit, chosen)}
    _write(session, audit.id, drafts, groups.touching(session, audit.id, chosen))
    audit.reclaimable_bytes = groups.reclaimable_bytes(session, audit.id)


def _hanging_together(session: Session, audit: Audit, image_ids: Collection[int]) -> list[int]:
    """These images and all they reach over checked pairs or present groups."""
    reached, news = set(image_ids), set(image_ids)
    tiers = (*COPIES, Tier.SAME_SCENE)
    while news:
        near = {image_id for edge in pairs.edges(session, audit.id, tiers, sorted(news)) for image_id in edge[:2]}
        news = near - reached
        reached |= news
    there = groups.touching(session, audit.id, sorted(reached))
    members = groups.members_of(session, [group.id for group in there])
    return sorted(reached | {member.image_id for rows in members.values() for member in rows})


def _drafts(session: Session, audit: Audit, image_ids: Sequence[int] | None) -> list[Draft]:
    copies = list(pairs.edges(session, audit.id, COPIES, image_ids))
    scenes = list(pairs.edges(session, audit.id, (Tier.SAME_SCENE,), image_ids))
    repeated = groups.repeated(session, audit.collection_id)
    wanted = set(image_ids or ())
    repeated = repeated if image_ids is None else [image_id for image_id in repeated if image_id in wanted]
    involved = sorted({image_id for edge in (*copies, *scenes) for image_id in edge[:2]} | set(repeated))
    candidates = _candidates(session, audit, involved)
    return _Sorter(audit, candidates, _said(session, candidates)).drafts(copies, scenes)


def _candidates(session: Session, audit: Audit, image_ids: Sequence[int]) -> dict[int, Candidate]:
    files: dict[int, list[File]] = {}
    for row in groups.places_of(session, image_ids):
        files.setdefault(row.image_id, []).append(File(row.id, row.path, row.mtime_ns, row.size_bytes))
    rows = groups.facts_of(session, audit.method, image_ids)
    return {row.id: _candidate(row, audit, tuple(files.get(row.id, ()))) for row in rows if row.id in files}


def _candidate(row, audit: Audit, files: tuple[File, ...]) -> Candidate:
    return Candidate(
        image_id=row.id,
        digest=row.digest,
        height_px=row.height_px or 0,
        width_px=row.width_px or 0,
        size_bytes=row.size_bytes,
        format=row.format or "",
        taken_at=row.taken_at,
        camera=row.camera or "",
        located=bool(row.located),
        files=files,
        ours=audit.against_id is None or row.collection_id == audit.collection_id,
    )


def _said(session: Session, candidates: dict[int, Candidate]) -> Said:
    """What was said of pictures by their digests, as of these images."""
    by_digest: dict[str, list[int]] = {}
    for one in candidates.values():
        by_digest.setdefault(one.digest, []).append(one.image_id)
    words = decisions.among(session, list(by_digest))
    return {
        as_pair(one, other): word
        for (first, second), word in words.items()
        for one in by_digest[first]
        for other in by_digest[second]
        if one != other
    }


class _Sorter:
    """Makes drafts of one audit's images."""

    def __init__(self, audit: Audit, candidates: dict[int, Candidate], said: Said) -> None:
        self._rules = Rules.of(audit.rules)
        self._beside = audit.against_id is not None
        self._candidates, self._said = candidates, said

    def drafts(self, copies: Iterable[Edge], scenes: Iterable[Edge]) -> list[Draft]:
        found = self._stars([*self._without(copies, APART), *self._by_word(copies, scenes)], APART)
        inside = {image_id for star in found for image_id in (star.keeper_id, *star.members)}
        alone = [] if self._beside else [one for one in self._candidates.values() if len(one.files) > 1]
        found += [Star(one.image_id, {}) for one in alone if one.image_id not in inside]
        loose = [edge for edge in self._without(scenes, NO_SCENE) if not inside & set(edge[:2])]
        loose += [edge._replace(tier=Tier.SAME_SCENE) for edge in self._worded(copies, Word.SAME_SCENE)]
        return [
            *(self._draft(star, False) for star in found),
            *(self._draft(star, True) for star in self._stars(loose, NO_SCENE)),
        ]

    def _stars(self, edges: Iterable[Edge], apart: tuple[Word, ...]) -> list[Star]:
        matches = Matches.of(edge for edge in edges if set(edge[:2]) <= self._candidates.keys())
        kept_apart = {pair for pair, word in self._said.items() if word in apart}
        others = {one.image_id for one in self._candidates.values() if not one.ours} if self._beside else None
        found = []
        for component in components(matches):
            order = keepers.best_first([self._candidates[image_id] for image_id in component], self._rules)
            found += stars([one.image_id for one in order], matches, kept_apart, others)
        return found

    def _without(self, edges: Iterable[Edge], words: tuple[Word, ...]) -> list[Edge]:
        return [edge for edge in edges if self._said.get(as_pair(*edge[:2])) not in words]

    def _worded(self, edges: Iterable[Edge], word: Word) -> list[Edge]:
        return [edge for edge in edges if self._said.get(as_pair(*edge[:2])) is word]

    def _by_word(self, copies: Iterable[Edge], scenes: Iterable[Edge]) -> list[Edge]:
        """Pairs that a person calls copies though the check does not."""
        checked = {as_pair(*edge[:2]) for edge in copies}
        loose = {as_pair(*edge[:2]): edge for edge in scenes}
        mine = [pair for pair, word in self._said.items() if word is Word.COPIES and pair not in checked]
        unknown = [Edge(*pair, Tier.EDITED, 0.0, ["other"], ["other"]) for pair in mine if pair not in loose]
        return [*unknown, *(loose[pair]._replace(tier=Tier.EDITED) for pair in mine if pair in loose)]

    def _draft(self, star: Star, scene: bool) -> Draft:
        kept = self._candidates[star.keeper_id]
        order = keepers.best_first([self._candidates[image_id] for image_id in star.members], self._rules)
        rows = self._rows_of_keeper(kept, order, scene)
        for one in order:
            rows += self._rows_of(one, kept, star.members[one.image_id], scene)
        edges = star.members.values()
        tier = max((edge.tier for edge in edges), key=LOOSENESS.get, default=Tier.IDENTICAL)
        weakest = min((edge.score for edge in edges), default=1.0)
        numbered = tuple({"place": place, **row} for place, row in enumerate(rows))
        bytes_ = sum(row.pop("bytes") for row in numbered)
        return Draft(star.keeper_id, scene, tier, weakest, 0 if scene else bytes_, numbered)

    def _rows_of_keeper(self, kept: Candidate, others: Sequence[Candidate], scene: bool) -> list[dict]:
        """The file that stays, then its own copies at other places."""
        first, *same = self._files(kept)
        twins = [self._twin(kept, file, first, scene) for file in same] if kept.ours and not scene else []
        reason = (
            keepers.reason(kept, others[0], self._rules) if others else "written first, of files with the same bytes"
        )
        keeper = {"role": Role.KEEPER, "tier": None, "score": 1.0, "relations": [], "marked": False, "loses": []}
        return [
            {"image_id": kept.image_id, "location_id": first.location_id, "reason": reason, "bytes": 0, **keeper},
            *twins,
        ]

    def _rows_of(self, one: Candidate, kept: Candidate, edge: Edge, scene: bool) -> list[dict]:
        first, *others = self._files(one)
        relations = edge.relations if edge.first_id == kept.image_id else edge.relations_back
        row = {
            "image_id": one.image_id,
            "location_id": first.location_id,
            "role": Role.DUPLICATE,
            "tier": edge.tier,
            "score": edge.score,
            "relations": list(relations),
            "reason": f"the keeper is {keepers.reason(kept, one, self._rules)}",
            "loses": keepers.losses(one, kept),
            "marked": edge.tier is Tier.IDENTICAL and self._may_go(one, first),
            "bytes": first.size_bytes,
        }
        return [row, *(self._twin(one, file, first, scene) for file in others)]

    def _twin(self, one: Candidate, file: File, stays: File, scene: bool) -> dict:
        """Another file with the very bytes of one that stays: what alone is marked before anybody looked."""
        return {
            "image_id": one.image_id,
            "location_id": file.location_id,
            "role": Role.DUPLICATE,
            "tier": Tier.IDENTICAL,
            "score": 1.0,
            "relations": [],
            "reason": f"the same bytes as {stays.path}",
            "loses": [],
            "marked": not scene and self._may_go(one, file),
            "bytes": file.size_bytes,
        }

    def _may_go(self, one: Candidate, file: File) -> bool:
        return one.ours and not self._rules.protects(file.path)

    def _files(self, one: Candidate) -> list[File]:
        return keepers.files_best_first(one, self._rules)


def _write(session: Session, audit_id: int, drafts: dict[tuple[int, bool], Draft], there: Sequence) -> None:
    present = {(row.keeper_id, row.scene): row for row in there}
    groups.remove(session, [row.id for key, row in present.items() if key not in drafts])
    kept = {key: row for key, row in present.items() if key in drafts}
    members = groups.members_of(session, [row.id for row in kept.values()])
    changed = {key: row for key, row in kept.items() if not _same(members[row.id], drafts[key])}
    made = groups.add(session, audit_id, [draft.facts() for key, draft in drafts.items() if key not in present])
    groups.change(session, [{"id": row.id, "settled": False, **drafts[key].facts()} for key, row in changed.items()])
    ids = made | {key: row.id for key, row in changed.items()}
    rows = [{"group_id": ids[key], **member} for key in ids for member in drafts[key].members]
    groups.put_members(session, list(ids.values()), rows)


def _same(rows: Sequence[Member], draft: Draft) -> bool:
    """Whether these are the files, roles and tiers that the draft has; marks are a person's own."""
    names = ("location_id", "role", "tier", "relations", "loses", "reason")
    before = [tuple(getattr(row, name) for name in names) for row in rows]
    return before == [tuple(member[name] for name in names) for member in draft.members]
