"""What the migrations add to the tables: a trigger that refuses another rate in a version that is sealed.

The statements are plain SQL per engine, one per list item, to be run in order.
"""

_SEALED = "EXISTS (SELECT 1 FROM pricing_version_seal WHERE version_id = NEW.version_id)"
_MESSAGE = "this version of pricing_rate is published and append-only"


def sealing_triggers(*, is_sqlite: bool) -> list[str]:
    """Return what makes the trigger; ``pricing_version_seal`` has to exist first."""
    if is_sqlite:
        return [
            (
                "CREATE TRIGGER pricing_rate_refuses_more BEFORE INSERT ON pricing_rate "
                f"WHEN {_SEALED} BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END"
            )
        ]
    return [
        (
            "CREATE OR REPLACE FUNCTION refuse_more_rates() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN IF {_SEALED} THEN RAISE EXCEPTION '{_MESSAGE}'; END IF; RETURN NEW; END $$"
        ),
        (
            "CREATE TRIGGER pricing_rate_refuses_more BEFORE INSERT ON pricing_rate "
            "FOR EACH ROW EXECUTE FUNCTION refuse_more_rates()"
        ),
    ]


def drop_sealing(*, is_sqlite: bool) -> list[str]:
    """Return what takes it away again."""
    if is_sqlite:
        return ["DROP TRIGGER pricing_rate_refuses_more"]
    return ["DROP TRIGGER pricing_rate_refuses_more ON pricing_rate", "DROP FUNCTION refuse_more_rates()"]
