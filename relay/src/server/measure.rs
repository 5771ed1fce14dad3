//! Hands the metrics what the loop knows.

use mio::event::Event;

use super::Server;
use crate::metrics::Snapshot;
use crate::moment::Moment;

impl Server {
    pub(super) fn take_metrics_event(&mut self, event: &Event) {
        let Some(metrics) = self.metrics.as_mut() else { return };
        let snapshot = Snapshot {
            server: &self.counts,
            chat: &self.chat,
            clients: self.conns.len(),
            #[cfg(feature = "history")]
            history: self.keeper.as_ref().map(crate::history::Keeper::state),
        };
        metrics.handle(event, self.poll.registry(), &snapshot);
    }

    pub(super) fn measure_turn(&mut self, began: Moment) {
        let now = self.now();
        if let Some(metrics) = self.metrics.as_mut() {
            metrics.measure_turn(now.since(began));
            metrics.accept(self.poll.registry());
        }
    }
}
