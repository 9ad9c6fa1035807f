"""One of the servers of a queue: it gets warm beside the others, then takes request after request of one schedule."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from tailgate.measure import serving
from tailgate.measure.calls import PreparedCall
from tailgate.measure.open_loop import checked, warm_capacity
from tailgate.measure.pacing import Fixture

if TYPE_CHECKING:
    from tailgate.processes.messages import Channel


class Server:
    """The pacer of a server; the session draws the schedules, and makes the row of what all servers send home."""

    def __init__(self, home: Channel) -> None:
        self._home = home

    def measure(self, call: PreparedCall, fixture: Fixture) -> Any:
        """First call, warm-up and closed loop beside the others; then serve until the session wants no more."""
        load = fixture.settings.load
        assert load is not None
        name = checked(call, fixture, load)
        result = call.once()
        self._say("loaded", {"pid": os.getpid()})
        self._home.receive()
        with contextlib.closing(fixture.watch(among_tenants=True)) as watch:
            watch.prepare()
            closed_loop = warm_capacity(call, fixture)
            with watch.around(), fixture.without_gc():
                self._say("warm", {"load": name, "closed_loop": closed_loop})
                while (order := self._home.receive_descriptors(None))[0] is not None:
                    begin_s, (descriptor,) = order
                    try:
                        self._say(
                            "served",
                            serving.serve(call, serving.from_shared(descriptor), begin_s, most_awake_s=serving.AWAKE_S),
                        )
                    finally:
                        os.close(descriptor)
            fixture.keep(closed_loop.services_s.tolist(), 1)  # the session puts the responses of all in their place
        return result

    def _say(self, stage: str, told: Any) -> None:
        self._home.send(("tenant", (stage, told)))
