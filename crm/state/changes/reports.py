"""How reports under a source's own key change the state: what it said last of each field."""

from crm.events import ReportRecorded
from crm.state.entity import Changes, State
from crm.state.reported import remember


def report_recorded(state: State, event: ReportRecorded) -> None:
    remember(
        state, event.report, event.meta.occurred_at, event.contact_id if event.report.record == "contact" else None
    )


CHANGES: Changes = {ReportRecorded: report_recorded}
