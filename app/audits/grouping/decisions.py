"""What a person says of pairs of pictures. Kept by digest, and so whatever is scanned, embedded or moved later."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from sqlalchemy.orm import Session

from app.audits.grouping.regrouping import pairs_of_digests, regroup_around
from app.audits.grouping.rules import Rules
from app.catalog import audits, decisions, groups, images, pairs
from app.catalog.audit_models import Audit, Group
from app.catalog.decisions import Digests
from app.catalog.pairs import Candidate
from app.catalog.states import Word
from app.errors import InvalidInput
from app.resources import Resources


@dataclass(frozen=True)
class Said:
    """A word and all it was said of, with what stood there before: enough to take it back."""

    audit_id: int
    word: Word
    before: tuple[tuple[str, str, Word | None], ...]  # two digests, the lower first, and the word there was
    group_ids: tuple[int, ...]  # of the groups that came of it


@dataclass(frozen=True)
class Kept:
    """A keeper that was chosen by hand: enough to take that back."""

    audit_id: int
    chosen: tuple[str, ...]  # digests, as they were chosen before
    image_ids: tuple[int, ...]  # of the group


def decide(
    resources: Resources,
    audit_id: int,
    group_id: int,
    word: Word,
    image_ids: Sequence[int] | None = None,
    image_pairs: Iterable[tuple[int, int]] | None = None,
) -> Said:
    """Say `word` of a group's keeper and each of `image_ids`, or of `image_pairs`; of all its pairs if both are open.

    Only the groups around these pictures are made again. Raises NotFound, InvalidInput for an image of no such group.
    """
    with resources.catalog.begin() as session:
        audit, group = audits.get(session, audit_id), groups.get(session, audit_id, group_id)
        chosen = _chosen(session, group, image_ids, image_pairs)
        digests = {row.id: row.digest for row in images.all_of(session, sorted({i for pair in chosen for i in pair}))}
        words = dict.fromkeys((decisions.key(digests[one], digests[other]) for one, other in chosen), word)
        return _say(session, audit, words, word)


def undo(resources: Resources, said: Said) -> Said:
    """Take a decision back, as if it was never said; what was said of these pairs before stands again."""
    with resources.catalog.begin() as session:
        audit = audits.get(session, said.audit_id)
        return _say(session, audit, {(one, other): word for one, other, word in said.before}, said.word)


def take_back(resources: Resources, audit_id: int, decision_id: int) -> Said:
    """Take one decision back, whenever it was made. Undone by `undo`. Raises NotFound."""
    with resources.catalog.begin() as session:
        audit, row = audits.get(session, audit_id), decisions.get(session, decision_id)
        return _say(session, audit, {(row.first_digest, row.second_digest): None}, row.word)


def keep(resources: Resources, audit_id: int, group_id: int, image_id: int) -> Kept:
    """Choose a group's keeper by hand, for every run of this audit. Undone by `keep_as_before`."""
    with resources.catalog.begin() as session:
        audit, group = audits.get(session, audit_id), groups.get(session, audit_id, group_id)
        members = _images_in(session, group)
        _refuse_strangers(group, members, [image_id])
        theirs = {row.id: row.collection_id for row in images.all_of(session, sorted(members))}
        if audit.against_id is not None and theirs[image_id] != audit.against_id:
            raise InvalidInput(f"picture {image_id} is of the collection that is compared: the other one's are kept")
        digests = {row.id: row.digest for row in images.all_of(session, sorted(members))}
        rules = Rules.of(audit.rules)
        chosen = rules.chosen - set(digests.values()) | {digests[image_id]}
        audit.rules = rules.changed(chosen=sorted(chosen)).stored()
        session.flush()
        regroup_around(session, audit, members)
    return Kept(audit_id, tuple(sorted(rules.chosen)), tuple(sorted(members)))


def keep_as_before(resources: Resources, kept: Kept) -> None:
    with resources.catalog.begin() as session:
        audit = audits.get(session, kept.audit_id)
        audit.rules = Rules.of(audit.rules).changed(chosen=kept.chosen).stored()
        session.flush()
        regroup_around(session, audit, kept.image_ids)


def regroup(resources: Resources, audit_id: int, image_ids: Iterable[int]) -> list[int]:
    """Make the groups again that these images are in, as after files of theirs were moved; ids of the groups."""
    with resources.catalog.begin() as session:
        return regroup_around(session, audits.get(session, audit_id), image_ids)


def _say(session: Session, audit: Audit, words: dict[Digests, Word | None], word: Word) -> Said:
    audits.lock(session, audit.id)
    before = decisions.say(session, words)
    touched = pairs_of_digests(session, audit, list(words))
    pairs.add(session, audit.id, [Candidate(*pair, None) for pair in touched if pair[0] != pair[1]])
    mine = {digest for pair in words for digest in pair}
    seeds = decisions.images_of(session, mine, [audit.collection_id, *([audit.against_id] if audit.against_id else [])])
    ids = regroup_around(session, audit, {image_id for found in seeds.values() for image_id in found})
    return Said(audit.id, word, tuple((*pair, old) for pair, old in before.items()), tuple(ids))


def _chosen(
    session: Session,
    group: Group,
    image_ids: Sequence[int] | None,
    image_pairs: Iterable[tuple[int, int]] | None,
) -> set[tuple[int, int]]:
    members = _images_in(session, group)
    if image_pairs is not None:
        chosen = {(min(pair), max(pair)) for pair in image_pairs}
    elif image_ids is not None:
        chosen = {(group.keeper_id, image_id) for image_id in image_ids}
    else:
        chosen = set(combinations(sorted(members), 2)) or {(group.keeper_id, group.keeper_id)}
    _refuse_strangers(group, members, [image_id for pair in chosen for image_id in pair])
    return chosen


def _images_in(session: Session, group: Group) -> set[int]:
    return {member.image_id for member in groups.members_of(session, [group.id])[group.id]}


def _refuse_strangers(group: Group, members: set[int], image_ids: Sequence[int]) -> None:
    strangers = [image_id for image_id in image_ids if image_id not in members]
    if strangers:
        raise InvalidInput(f"picture {strangers[0]} is not in group {group.id} any more: look at the group again")
