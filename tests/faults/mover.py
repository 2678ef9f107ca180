"""Quarantine, with links or without, and restore in a process of its own, which says when it begins."""

import sys

from app.audits.acting import quarantine, restoring
from app.resources import Resources, open_resources

VERBS = {
    "move": lambda resources, audit_id: len(quarantine.quarantine(resources, audit_id).refused),
    "link": lambda resources, audit_id: len(quarantine.quarantine(resources, audit_id, link=True).refused),
    "restore": lambda resources, audit_id: len(restoring.restore(resources, audit_id).refused),
}


def main() -> None:
    verb, audit_id = sys.argv[1], int(sys.argv[2])
    resources: Resources = open_resources()
    print("begins", flush=True)
    print(VERBS[verb](resources, audit_id), flush=True)


if __name__ == "__main__":
    main()
