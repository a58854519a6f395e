"""The queue's watchdog: ends a hanging cluster, and releases dead workers' tasks and leases.

django-q2's cluster hangs for good when a worker is killed while it has the queue's lock (django-q2
issue 23). So a task that only records that it ran is enqueued for this cluster; when it takes too
long, the cluster is ended and restarted. No error ends the watchdog: it waits for what is away.
"""

from __future__ import annotations

import logging
import time
from typing import Any, Final

import psutil
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection
from django_q.brokers import get_broker
from django_q.tasks import async_task

from accounts.connectivity import GONE, Outage
from accounts.models import SiteProcess
from accounts.queue import CLUSTER
from accounts.selectors import processes as running
from accounts.services import processes
from followersync.services.sync import dispatcher
from threadsite import cluster_folder, serving
from threadsite.broker import key_of
from threadsite.supervisor import Child, end_group

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 5.0
#: A late heartbeat is checked for more often.
LATE_LOOK_SECONDS: Final = 1.0
COUNT_SECONDS: Final = 1.0
#: With an idle worker the heartbeat takes a second or two.
IDLE_PATIENCE: Final = 30.0
#: Less after a worker died: it may have had the lock that all others wait for.
PATIENCE_AFTER_DEATH: Final = 8.0
#: A machine that starts many processes at once is slow.
START_PATIENCE: Final = 90.0
#: A hanging cluster ignores signals.
HUNG_STOP_SECONDS: Final = 1.0


class Watchdog:
    """Watches one cluster; `environment` is what the next one is started with."""

    def __init__(self, child: Child, environment: dict[str, str]) -> None:
        self.child = child
        self.environment = environment
        #: Every worker may be busy for the longest task before it takes the heartbeat.
        self.patience = 1.5 * float(settings.Q_CLUSTER["timeout"])
        self.cluster = ""
        self.workers: set[int] = set()
        self.dead: set[int] = set()
        self.ended_clusters: list[str] = []
        self.asked_at: float | None = None
        self.counted_at = self.look_at = self.died_at = 0.0
        self.busy = 0
        self._outage = Outage("what the queue needs")
        self._instance: str | None = None
        #: Why this database may not be worked on (it was restored); "" normally.
        self.refused = ""
        self.renew()

    def renew(self) -> None:
        """Give the next cluster a new id."""
        self.cluster = self.environment[CLUSTER] = processes.new_id()
        cluster_folder.make(self.cluster)
        self.workers, self.dead, self.asked_at, self.died_at = set(), set(), None, 0.0
        self.starting = True

    def find_orphans(self) -> None:
        """Find clusters of a killed queue of this host, released at the first look."""
        self.ended_clusters += [each for each in cluster_folder.orphans() if each != self.cluster]

    def cluster_ended(self) -> None:
        """Called when the cluster has ended, before it is restarted."""
        self.ended_clusters.append(self.cluster)
        self.renew()

    def look(self) -> None:
        """Called twice a second by the supervisor; raises nothing."""
        now = time.monotonic()
        try:
            if now - self.counted_at >= COUNT_SECONDS:
                self.count_workers(now)
            urgent = bool(self.dead or self.ended_clusters) and not self._outage.is_ongoing
            if urgent or now >= self.look_at:
                self._look(now)
        except Exception as error:
            self._lost(error, now)

    def leave(self) -> None:
        """The queue ends as asked: release its tasks for others at once."""
        try:
            self._release(self.cluster)
        except (DatabaseError, *GONE) as error:
            logger.warning("others take over in half a minute (%s)", type(error).__name__)

    def _lost(self, error: Exception, now: float) -> None:
        if not isinstance(error, GONE) and not self._outage.is_ongoing:
            logger.error("the watchdog failed and goes on", exc_info=error)
        connection.close()
        self.look_at = now + self._outage.record_failure(error)
        # Nobody can answer meanwhile: restart the time limit.
        self.asked_at = None

    def _look(self, now: float) -> None:
        close_old_connections()
        if self._outage.is_ongoing:
            serving.recheck()
        self.refused = serving.refusal()
        if self.refused:
            return
        self._release_dead()
        if now < self.look_at:
            return
        processes.report(self.cluster, SiteProcess.Kind.QUEUE)
        broker = get_broker()
        self._check_for_lost_tasks(broker)
        if not self._outage.is_ongoing:
            # Otherwise the others may be as late to report as we are.
            broker.release_abandoned_claims([*running.live_queues(), self.cluster])
        self.look_at = now + LOOK_SECONDS
        self._judge(now)
        self._outage.record_success()

    def _judge(self, now: float) -> None:
        """Enqueue a heartbeat, or end the cluster that did not finish one."""
        age = running.work_age(self.cluster)
        answered = self.asked_at is not None and age is not None and age < now - self.asked_at
        if answered:
            self.starting, self.died_at = False, 0.0
        if self.asked_at is None or answered:
            key = key_of(str(settings.Q_CLUSTER["name"]), self.cluster)
            async_task("threadsite.heartbeat.beat", group="heartbeat", cluster=key)
            self.asked_at = now
        elif now - self.asked_at > self.heartbeat_limit():
            logger.error("the queue's cluster hangs and is started again")
            end_group(self.child, HUNG_STOP_SECONDS)
            self.asked_at = None
        else:
            self.look_at = now + LATE_LOOK_SECONDS

    def heartbeat_limit(self) -> float:
        """How long the heartbeat may take, in seconds."""
        if self.busy >= int(settings.Q_CLUSTER["workers"]):
            return self.patience
        if self.starting:
            return START_PATIENCE
        return PATIENCE_AFTER_DEATH if self.died_at else IDLE_PATIENCE

    def count_workers(self, now: float) -> None:
        """Detect dead workers."""
        before, self.workers, self.counted_at = self.workers, self._processes(), now
        self.dead |= before - self.workers
        if before - self.workers:
            self.died_at = now
        self.busy = cluster_folder.busy(self.cluster, self.workers)

    def _release_dead(self) -> None:
        for cluster in [*self.ended_clusters]:
            self._release(cluster)
            self.ended_clusters.remove(cluster)
        if self.dead:
            freed = sum(processes.end_leases(self.cluster, pid) for pid in self.dead)
            # Which worker had which task is unknown. All may run twice; the second does nothing.
            returned = get_broker().release_claims(self.cluster)
            logger.warning(
                "%d workers died; %d jobs and %d tasks are freed", len(self.dead), freed, returned
            )
            self.dead.clear()
            # The heartbeat may be among the released tasks.
            self.asked_at = None
            dispatcher.enqueue_stuck()

    def _release(self, cluster: str) -> None:
        """Release the tasks and leases of an ended cluster."""
        processes.end_leases(cluster)
        get_broker().release_claims(cluster)
        processes.leave(cluster)
        cluster_folder.remove(cluster)

    def _check_for_lost_tasks(self, broker: Any) -> None:
        """A restarted Redis may have lost tasks; workers drop theirs in an outage."""
        instance = broker.instance()
        anew = self._instance is not None and instance != self._instance
        if (anew or self._outage.is_ongoing) and (waiting := dispatcher.enqueue_waiting()):
            logger.warning("tasks may be lost: %d runs are enqueued again", waiting)
        self._instance = instance

    def _processes(self) -> set[int]:
        """The process ids of the cluster's workers and helpers: the children of its sentinel."""
        if self.child.process is None:
            return set()
        try:
            sentinels = psutil.Process(self.child.process.pid).children()
            return {each.pid for sentinel in sentinels for each in sentinel.children()}
        except psutil.Error:
            return set()
