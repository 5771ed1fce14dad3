//! How often what is rare was met: a simulation that meets nothing proves nothing.

macro_rules! seen {
    ($($what:ident),* $(,)?) => {
        #[derive(Debug, Clone, Copy, Default)]
        pub(crate) struct Seen {
            $(pub(crate) $what: u64,)*
        }

        impl Seen {
            pub(crate) fn add(&mut self, more: &Self) {
                $(self.$what += more.$what;)*
            }

            pub(crate) fn what_never_happened(&self) -> Vec<&'static str> {
                let counts = [$((stringify!($what), self.$what)),*];
                counts.into_iter().filter(|(_, count)| *count == 0).map(|(what, _)| what).collect()
            }
        }
    };
}

seen!(
    lines,
    held_back,
    gated,
    storms,
    slow_cuts,
    renamed,
    forged,
    too_long,
    foreign,
    unframed_messages,
    framed_again,
    not_reading,
    closing_timeouts,
);
