"""Who holds which identity key in a round: the rolls as screened, the keys whose row locks serialise screening, and
their holders. The order in which they are locked is the screening's business."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.dedup.rules.holdings import Holding
from services.dedup.tables import duplicate, holder, identity_key, screened
from services.kit.database import Transaction
from services.kit.sql import is_one_of


def lock_schools(tx: Transaction, round_name: str, codes: Sequence[str]) -> dict[str, int]:
    """The schools' rows of what was screened (made if missing), locked in order until the transaction ends; returns
    school → revision."""
    rows = [{"round": round_name, "school": code} for code in sorted(codes)]
    tx.execute(insert(screened).values(rows).on_conflict_do_nothing())
    mine = sa.and_(screened.c.round == round_name, is_one_of(screened.c.school, codes))
    locked = sa.select(screened.c.school, screened.c.revision).where(mine).order_by(screened.c.school)
    return {row.school: row.revision for row in tx.execute(locked.with_for_update())}


_SCREENED = (
    sa.update(screened)
    .where(screened.c.round == sa.bindparam("of_round"), screened.c.school == sa.bindparam("of_school"))
    .values(revision=sa.bindparam("as_of"), sha256=sa.bindparam("roll"))
)


def note_screened(tx: Transaction, round_name: str, rolls: Iterable[tuple[str, int, str]]) -> None:
    """Note what was screened of schools. Each: school, the revision as of which it is current, sha256."""
    tx.execute(
        _SCREENED,
        [
            {"of_round": round_name, "of_school": school, "as_of": revision, "roll": sha256}
            for school, revision, sha256 in rolls
        ],
    )


def rolls(tx: Transaction, round_name: str) -> int:
    """How many schools have a roll here in the round."""
    here = sa.and_(screened.c.round == round_name, screened.c.sha256 != "")
    return int(tx.execute(sa.select(sa.func.count()).select_from(screened).where(here)).scalar_one())


_INSERT_KEYS = sa.text(
    """
    INSERT INTO identity_key (round, key)
    SELECT :round, key FROM unnest(CAST(:keys AS bytea[])) AS t (key) ORDER BY key
        ON CONFLICT DO NOTHING
    RETURNING key
    """
).bindparams(sa.bindparam("round", type_=sa.Text))


def insert_keys(tx: Transaction, round_name: str, keys: Collection[bytes]) -> set[bytes]:
    """Make the missing key rows, in order of key; waits for another transaction that is just making one of them. Returns
    the keys made, which nobody else sees, or passes, until this transaction ends."""
    made = tx.execute(_INSERT_KEYS, {"round": round_name, "keys": list(keys)})
    return {bytes(key) for key in made.scalars()}


def lock_keys(tx: Transaction, round_name: str, keys: Collection[bytes]) -> None:
    """Lock the key rows in order of key until the transaction ends."""
    tx.execute(
        sa.select(identity_key.c.key)
        .where(identity_key.c.round == round_name, is_one_of(identity_key.c.key, keys))
        .order_by(identity_key.c.key)
        .with_for_update()
    ).all()


def held_by(tx: Transaction, round_name: str, codes: Collection[str]) -> dict[str, dict[bytes, Holding]]:
    """school → key → its holding as screened."""
    h = holder.c
    rows = tx.execute(
        sa.select(h.school, h.key, h.line, h.first_name, h.last_name, h.birth_date, h.sex).where(
            h.round == round_name, is_one_of(h.school, codes)
        )
    )
    found: dict[str, dict[bytes, Holding]] = {}
    for row in rows:
        holding = Holding(row.key, row.line, row.first_name, row.last_name, row.birth_date, row.sex)
        found.setdefault(row.school, {})[holding.key] = holding
    return found


_REMOVE = sa.text(
    """
    DELETE FROM holder USING unnest(CAST(:schools AS text[]), CAST(:keys AS bytea[])) AS gone (school, key)
     WHERE holder.round = :round AND holder.key = gone.key AND holder.school = gone.school
    """
).bindparams(sa.bindparam("round", type_=sa.Text))


def remove(tx: Transaction, round_name: str, gone: Mapping[str, Sequence[bytes]]) -> None:
    """Each school holds these keys no longer."""
    pairs = [(school, key) for school, keys in gone.items() for key in keys]
    if pairs:
        schools, keys = zip(*pairs, strict=True)
        tx.execute(_REMOVE, {"round": round_name, "schools": list(schools), "keys": list(keys)})


def add(tx: Transaction, round_name: str, brought: Mapping[str, Sequence[Holding]]) -> None:
    """Holdings of keys that their schools did not hold, in order of key."""
    rows = sorted((h.key, school, h) for school, holdings in brought.items() for h in holdings)
    tx.copy(
        holder,
        (
            (round_name, key, school, h.line, h.first_name, h.last_name, h.birth_date, h.sex)
            for key, school, h in rows
        ),
    )


_READ = ("line", "first_name", "last_name", "birth_date", "sex")
_ALTER = (
    sa.update(holder)
    .where(
        holder.c.round == sa.bindparam("of_round"),
        holder.c.key == sa.bindparam("of_key"),
        holder.c.school == sa.bindparam("of_school"),
    )
    .values({name: sa.bindparam(name) for name in _READ})
)


def alter(tx: Transaction, round_name: str, brought: Mapping[str, Sequence[Holding]]) -> None:
    """Holdings that their schools hold already, as they now read."""
    rows = [
        {"of_round": round_name, "of_key": h.key, "of_school": school}
        | {name: getattr(h, name) for name in _READ}
        for school, holdings in brought.items()
        for h in holdings
    ]
    if rows:
        tx.execute(_ALTER, rows)


def contested(tx: Transaction, round_name: str, keys: Collection[bytes]) -> list[bytes]:
    """Those of the keys that two schools hold, in order of key."""
    here = sa.and_(holder.c.round == round_name, is_one_of(holder.c.key, keys))
    shared = sa.select(holder.c.key).where(here).group_by(holder.c.key).having(sa.func.count() > 1)
    return [bytes(key) for key in tx.execute(shared.order_by(holder.c.key)).scalars()]


def keys_of_cases(tx: Transaction, round_name: str, keys: Collection[bytes]) -> list[bytes]:
    """Those of the keys that have a case, in whatever state, in order of key."""
    here = sa.and_(duplicate.c.round == round_name, is_one_of(duplicate.c.key, keys))
    return [
        bytes(key)
        for key in tx.execute(sa.select(duplicate.c.key).where(here).order_by(duplicate.c.key)).scalars()
    ]


def holders_of(tx: Transaction, round_name: str, keys: Collection[bytes]) -> Sequence[sa.Row[Any]]:
    """key, school and line of every holder of these keys, in order of key and school."""
    h = holder.c
    here = sa.and_(h.round == round_name, is_one_of(h.key, keys))
    return tx.execute(sa.select(h.key, h.school, h.line).where(here).order_by(h.key, h.school)).all()


def rolls_of(tx: Transaction, round_name: str, codes: Collection[str]) -> dict[str, str]:
    """school → sha256 of its roll as screened."""
    s = screened.c
    here = sa.and_(s.round == round_name, is_one_of(s.school, codes))
    return {row.school: row.sha256 for row in tx.execute(sa.select(s.school, s.sha256).where(here))}
