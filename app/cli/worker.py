"""`dinoseek worker`: what embeds, kept running. It imports no page: a machine may hold many workers."""

from typing import Annotated

import typer

from app.cli.devices import devices
from app.cli.output import say
from app.cli.supervisor import Supervisor
from app.jobs import Queue
from app.resources import Resources, open_resources
from app.weaknesses import weaknesses

worker_command = typer.Typer(pretty_exceptions_enable=False)


@worker_command.command()
def worker(
    queue: Annotated[
        list[Queue] | None, typer.Option(help="Take from this queue alone; given twice, from both, as without it.")
    ] = None,
) -> None:
    """A worker for each device of this machine. It is started again when it dies, and stopped in order."""
    resources = open_resources()
    say_weaknesses(resources)
    queues = sorted(set(queue or Queue), key=list(Queue).index)
    chosen = devices(resources.settings.device)
    supervisors = [Supervisor(resources.settings, queues=queues, device=device) for device in chosen]
    for supervisor in supervisors:
        supervisor.start()
    try:
        for supervisor in supervisors:
            supervisor.wait()
    finally:
        for supervisor in supervisors:
            supervisor.stop()


def say_weaknesses(resources: Resources) -> None:
    for weakness in weaknesses(resources):
        say(str(weakness), "yellow")
