//! The chain of a file: a session, or two with a change of the sample rate between them.

use auralis_core::Result;

use super::conveyor::{Planes, Room, stretches};
use super::resampler::{Ratio, Resampler};
use crate::Parts;
use crate::chain::Chain;
use crate::session::{Preparation, Session, SessionSpec};

/// What the stages of a chain are prepared as for one file.
#[derive(Debug)]
pub struct Pipeline {
    first: Session,
    then: Option<(Resampler, Session)>,
    room: Room,
    tail: usize,
}

impl Pipeline {
    /// The chain for audio of `spec`, block by block.
    ///
    /// # Errors
    ///
    /// What the stages can't make of it, and rates between which can't be resampled.
    pub fn new(
        chain: &Chain,
        spec: SessionSpec,
        parts: &Parts,
        preparation: Preparation,
    ) -> Result<Self> {
        let most = spec.max_frames;
        let Some((before, rate, after)) = chain.around_resampling(spec.sample_rate) else {
            let first = Session::prepare(chain.stages(), spec, parts, preparation)?;
            return Ok(Self {
                room: Room {
                    source: most,
                    frames: most,
                },
                tail: first.latency(),
                first,
                then: None,
            });
        };
        let ratio = Ratio::new(spec.sample_rate, rate)?;
        let first = Session::prepare(before, spec, parts, preparation)?;
        let resampled = SessionSpec {
            sample_rate: rate,
            ..spec
        };
        let second = Session::prepare(after, resampled, parts, preparation)?;
        let source = ratio.source(most);
        let (delay, more) = (first.latency(), second.latency());
        let resampler = Resampler::new(ratio, spec.channels, source, delay, more)?;
        Ok(Self {
            room: Room {
                source,
                frames: source.max(ratio.most(source)),
            },
            tail: delay + ratio.tail(more),
            first,
            then: Some((resampler, second)),
        })
    }

    /// The frames of a block.
    pub fn room(&self) -> Room {
        self.room
    }

    /// The frames by which the output lies behind the input, counted at the rate of the output.
    pub fn latency(&self) -> usize {
        let last = self.then.as_ref().map_or(&self.first, |(_, last)| last);
        last.latency()
    }

    /// The frames of silence that must follow the audio, so that all of it comes out.
    pub fn tail(&self) -> usize {
        self.tail
    }

    /// Runs the chain over a block.
    ///
    /// # Errors
    ///
    /// What the backends answer.
    pub fn process(&mut self, planes: &mut Planes) -> Result<()> {
        run(&mut self.first, planes)?;
        match &mut self.then {
            None => Ok(()),
            Some((resampler, session)) => {
                resampler.process(planes)?;
                run(session, planes)
            }
        }
    }
}

/// Runs a session over the stretches of a block.
fn run(session: &mut Session, planes: &mut Planes) -> Result<()> {
    let mut block = planes.block_mut();
    stretches(0..block.frames(), session.spec().max_frames)
        .try_for_each(|stretch| session.run(&mut block.range_mut(stretch)))
}
