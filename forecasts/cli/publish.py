"""The command that publishes a record for everyone: publish."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from forecasts.access import teams
from forecasts.access.members import member_named
from forecasts.cli.options import Overwrite, argument, option
from forecasts.cli.outputs import require_folder
from forecasts.cli.printing import print_line, print_note
from forecasts.cli.root import app
from forecasts.cli.session import ledger, reading_as, settings
from forecasts.common.errors import BadInput
from forecasts.folder.drafts import require_empty
from forecasts.operations.stamps import folder_of_proofs, stamps
from forecasts.publication import facts
from forecasts.publication.publish import publish as publish_record
from forecasts.publication.site import base_url
from forecasts.publication.verify import PROGRAM
from forecasts.questions import registry


@app.command()
def publish(
    folder: Annotated[Path, argument("FOLDER", "The folder to write.")],
    of: Annotated[
        str | None, option("HANDLE", "Publish this member's record. [default: yours]", "--member")
    ] = None,
    team: Annotated[str | None, option("TEAM", "Publish this team's record.", "--team")] = None,
    question: Annotated[
        list[str] | None,
        option("QUESTION", "Publish this question alone; repeatable.", "--question"),
    ] = None,
    url: Annotated[str, option("URL", "The address at which the folder will be.", "--url")] = "",
    overwrite: Overwrite = False,
) -> None:
    """Publish a record as a site that strangers can check.

    It shows only questions and forecasts that everyone may see. A member publishes their own
    record, a team's admin the team's, and an admin of the ledger anyone's. The folder works on any
    web server, and as files.
    Anyone can check it with Python alone: python3 -I verify.py FOLDER
    """
    if of is not None and team is not None:
        raise BadInput("Publish a member's record or a team's, not both.")
    base_url(url)
    require_folder(folder)
    require_empty(folder, overwrite=overwrite)
    chosen = settings()
    with reading_as(engine=ledger(chosen)) as (session, who, now):
        of_team = None if team is None else teams.find(session, team)
        of_member = who if of is None else member_named(session, of)
        if of_team is None and of_member is None:
            raise BadInput(
                "You are not a member of this ledger yet, and have no record.",
                remedy="Name one with --member or --team.",
            )
        for name in question or ():
            registry.find(session, name)
        stamped = stamps(folder_of_proofs(session, chosen.proofs_folder), roots=chosen.stamp_roots)
        done = publish_record(
            session,
            folder,
            who=who,
            member=of_member if of_team is None else None,
            team=of_team,
            questions=question,
            stamps={one.digest: one.file.read_bytes() for one in stamped if not one.fault},
            url=url,
            overwrite=overwrite,
            now=now,
        )
    for said in done.said:
        print_line(said)
    if about_mean := facts.about_mean(done.record):
        print_line(about_mean)
    print_line(
        f"Published in {folder}: {done.files:,} files. Check them: python3 -I {folder / PROGRAM}"
    )
    if private := facts.may_be_private(done.record):
        print_note(f"{private} To keep one to yourself: forecasts revise QUESTION --visible-to me")
    for one in done.record.withheld:
        print_note(f"Warning: {one}")
    if left_out := facts.unpublished(done.record.unpublished):
        print_note(left_out)
