//! Selection: a pure function from candidates, request, CPU and measurements to a choice and why.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use auralis_core::{CpuFeatures, Error, ErrorKind, Kernel, Result};
use serde::Serialize;

use crate::tuning::{KernelTimes, TuningReport};
use crate::{Authority, BackendRequest, Facts, Request};

/// The CPU as selection sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    /// What the CPU has and the operating system has enabled.
    pub detected: CpuFeatures,
    /// What the configuration hides: `[cpu] disable`.
    pub hidden: CpuFeatures,
}

impl Cpu {
    /// This CPU, without the features that the configuration hides.
    pub fn detect(hidden: CpuFeatures) -> Self {
        Self {
            detected: CpuFeatures::detect(),
            hidden,
        }
    }

    /// The features that a backend may use.
    pub const fn available(self) -> CpuFeatures {
        self.detected.without(self.hidden)
    }
}

/// What was measured of the backends of one kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// The time that each backend took, by id, relative to any one unit: less is faster. What is
    /// not a positive number counts as not measured.
    pub times: BTreeMap<String, f64>,
    /// For an accelerator, what was measured of each kernel.
    pub kernels: BTreeMap<Kernel, KernelTimes>,
}

impl Measured {
    fn time(&self, id: &str) -> Option<f64> {
        let time = self.times.get(id).copied();
        time.filter(|t| t.is_finite() && *t > 0.0)
    }
}

impl<S: Into<String>> FromIterator<(S, f64)> for Measured {
    fn from_iter<I: IntoIterator<Item = (S, f64)>>(times: I) -> Self {
        Self {
            times: times
                .into_iter()
                .map(|(id, time)| (id.into(), time))
                .collect(),
            kernels: BTreeMap::new(),
        }
    }
}

/// What a backend is selected by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Criteria {
    /// What is asked for, and by whom.
    pub request: Request,
    /// The features that there are, and those that are hidden.
    pub cpu: Cpu,
    /// What was measured of this kind; empty if nothing was.
    pub measured: Measured,
    /// Those that have failed already, while they were built or at run time: id to why, in the
    /// words of a rejection. They count as unavailable.
    pub failed: BTreeMap<String, String>,
    /// The ids that a rejected plugin would have brought: id to why, in the words of a rejection.
    pub turned_away: BTreeMap<String, String>,
    /// Why there may be fewer candidates than the request supposes, where an id of it is unknown;
    /// empty if nothing is known to lack.
    pub lacking: Vec<String>,
}

/// A candidate that was not chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// Its id.
    pub id: String,
    /// Why it was not chosen.
    pub reason: String,
    /// Whether it can be had if it is asked for by name; not part of the report.
    #[serde(skip)]
    pub available: bool,
}

/// The sizes of a kernel that one backend runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    /// The least size, one number for each dimension of the kernel's
    /// [`Grid`](crate::tuning::Grid): up to where the next share begins.
    pub from: Vec<usize>,
    /// The backend's id.
    pub backend: String,
}

/// What was chosen and why: one object of `explain --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "schema", rename = "auralis.selection/1")]
pub struct Selection {
    /// The kind's name in the configuration.
    pub kind: &'static str,
    /// The id of the chosen backend.
    pub chosen: String,
    /// Who decided.
    pub decided_by: Authority,
    /// Every candidate that was not chosen, best rank first, then ids of a list that nobody has, then
    /// what rejected plugins would have brought.
    pub rejected: Vec<Rejected>,
    /// The kernels of a composed accelerator that another backend than the chosen one runs, with
    /// that backend's id; `None` for what is not composed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernels: Option<BTreeMap<&'static str, String>>,
    /// Where measurement decided, the backend of each kernel by its sizes; `None` where it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<BTreeMap<&'static str, Vec<Share>>>,
    /// The tuning file that was found; `None` if there is none, or none was looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tuning: Option<TuningReport>,
    /// What the request allows to take instead should the chosen backend fail, in this order; not
    /// part of the report.
    #[serde(skip)]
    pub fallbacks: Vec<String>,
    /// Every backend that may be called: the chosen one, and of a composed accelerator those of its
    /// kernels and of short slices; not part of the report.
    #[serde(skip)]
    pub called: Vec<String>,
}

/// Chooses one of `candidates`, given in any order.
///
/// `auto` takes what was measured fastest, else what ranks highest, ties by id, and never a
/// negative rank. A list takes the first that is available. One id is that one or an error.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] if one id is asked for and nobody has it; [`ErrorKind::Unavailable`] if
/// nothing that the request allows can be had here; [`ErrorKind::Config`] for an empty list.
pub fn select(kind: &'static str, candidates: &[&Facts], criteria: &Criteria) -> Result<Selection> {
    let field = Field::new(kind, candidates, criteria);
    let order = field.order()?;
    let Some((chosen, fallbacks)) = order.split_first() else {
        return Err(field.nothing());
    };
    Ok(Selection {
        kind,
        chosen: chosen.id.clone(),
        decided_by: field.decided_by(chosen),
        rejected: field.rejected(chosen),
        kernels: None,
        measured: None,
        tuning: None,
        fallbacks: fallbacks.iter().map(|f| f.id.clone()).collect(),
        called: vec![chosen.id.clone()],
    })
}

/// What `auto` would take here, best first, whatever the request says.
pub(crate) fn auto_order<'a>(
    kind: &'static str,
    candidates: &[&'a Facts],
    criteria: &Criteria,
) -> Vec<&'a Facts> {
    Field::new(kind, candidates, criteria).auto()
}

/// Why a candidate with these needs can't run on this CPU, in the words of a rejection.
pub(crate) fn cpu_obstacle(facts: &Facts, cpu: Cpu) -> Option<String> {
    obstacle_of(facts.requires, cpu)
}

/// Why what needs these features can't run on this CPU, in the words of a rejection.
pub(crate) fn obstacle_of(requires: CpuFeatures, cpu: Cpu) -> Option<String> {
    Obstacle::of_cpu(requires, cpu).map(|o| o.reason())
}

/// The same in the words of an error.
pub(crate) fn refusal_of(requires: CpuFeatures, cpu: Cpu) -> Option<String> {
    Obstacle::of_cpu(requires, cpu).map(|o| o.cause())
}

impl Facts {
    /// Whether this candidate stands before `other` where nothing was asked or measured.
    pub(crate) fn before(&self, other: &Self) -> bool {
        self.by_rank(other) == Ordering::Less
    }

    fn by_rank(&self, other: &Self) -> Ordering {
        other
            .rank
            .cmp(&self.rank)
            .then_with(|| self.id.cmp(&other.id))
    }
}

/// What keeps a candidate from running here.
enum Obstacle<'a> {
    Cpu {
        lacking: CpuFeatures,
        hidden: CpuFeatures,
    },
    Failed(&'a str),
}

impl Obstacle<'_> {
    fn of_cpu(requires: CpuFeatures, cpu: Cpu) -> Option<Self> {
        let missing = requires.missing_from(cpu.available());
        let lacking = requires.missing_from(cpu.detected);
        let hidden = missing.without(lacking);
        (!missing.is_empty()).then_some(Self::Cpu { lacking, hidden })
    }

    /// What a rejection says.
    fn reason(&self) -> String {
        match self {
            Self::Cpu { lacking, hidden } => {
                let them = if lacking.names().count() == 1 {
                    "it"
                } else {
                    "them"
                };
                let lacking_words = format!("needs {lacking}: this CPU lacks {them}");
                let hidden_words = format!("needs {hidden}: hidden by [cpu] disable");
                stated([(lacking, lacking_words), (hidden, hidden_words)])
            }
            Self::Failed(reason) => (*reason).to_owned(),
        }
    }

    /// What the error says that refuses a backend asked for by name.
    fn cause(&self) -> String {
        match self {
            Self::Cpu { lacking, hidden } => {
                let lacking_words = format!("this CPU lacks {lacking}");
                let hidden_words = format!("[cpu] disable hides {hidden}");
                stated([(lacking, lacking_words), (hidden, hidden_words)])
            }
            Self::Failed(reason) => format!("it {reason}"),
        }
    }
}

/// The words for each set that is not empty.
fn stated(words: [(&CpuFeatures, String); 2]) -> String {
    let stated = words.into_iter().filter(|(set, _)| !set.is_empty());
    stated
        .map(|(_, words)| words)
        .collect::<Vec<_>>()
        .join("; ")
}

/// The candidates of one kind, best rank first, and what they are judged by.
struct Field<'a, 'c> {
    kind: &'static str,
    candidates: Vec<&'a Facts>,
    criteria: &'c Criteria,
}

impl<'a, 'c> Field<'a, 'c> {
    fn new(kind: &'static str, candidates: &[&'a Facts], criteria: &'c Criteria) -> Self {
        let mut candidates = candidates.to_vec();
        candidates.sort_by(|a, b| a.by_rank(b));
        Self {
            kind,
            candidates,
            criteria,
        }
    }

    fn find(&self, id: &str) -> Option<&'a Facts> {
        self.candidates.iter().copied().find(|c| c.id == id)
    }

    fn obstacle(&self, facts: &Facts) -> Option<Obstacle<'c>> {
        let failure = self.criteria.failed.get(&facts.id);
        Obstacle::of_cpu(facts.requires, self.criteria.cpu)
            .or_else(|| failure.map(|reason| Obstacle::Failed(reason)))
    }

    fn is_available(&self, facts: &Facts) -> bool {
        self.obstacle(facts).is_none()
    }

    /// What the request allows and the machine offers, best first.
    fn order(&self) -> Result<Vec<&'a Facts>> {
        match &self.criteria.request.backend {
            BackendRequest::Auto => Ok(self.auto()),
            BackendRequest::One(id) => self.one(id).map(|facts| vec![facts]),
            BackendRequest::List(ids) if ids.is_empty() => {
                let by = self.criteria.request.by.subject();
                let message = format!("{by} gives an empty list for {}", self.kind);
                Err(Error::new(ErrorKind::Config, message))
            }
            BackendRequest::List(ids) => {
                let mut order: Vec<&Facts> = Vec::new();
                for facts in ids.iter().filter_map(|id| self.find(id)) {
                    if self.is_available(facts) && !order.iter().any(|o| o.id == facts.id) {
                        order.push(facts);
                    }
                }
                Ok(order)
            }
        }
    }

    fn auto(&self) -> Vec<&'a Facts> {
        let eligible = self.candidates.iter().copied().filter(|c| c.rank >= 0);
        let mut order: Vec<_> = eligible.filter(|c| self.is_available(c)).collect();
        // The sort is stable: what was measured alike or not at all stays in the order of ranks.
        let time = |facts: &Facts| self.time(facts).unwrap_or(f64::INFINITY);
        order.sort_by(|a, b| time(a).total_cmp(&time(b)));
        order
    }

    fn one(&self, id: &str) -> Result<&'a Facts> {
        let facts = self.find(id).ok_or_else(|| self.unknown(id))?;
        match self.obstacle(facts) {
            None => Ok(facts),
            Some(obstacle) => {
                let (kind, cause, available) = (self.kind, obstacle.cause(), self.available());
                let message = format!("{kind} {id:?} is unavailable: {cause} ({available})");
                Err(Error::new(ErrorKind::Unavailable, message))
            }
        }
    }

    fn time(&self, facts: &Facts) -> Option<f64> {
        self.criteria.measured.time(&facts.id)
    }

    fn decided_by(&self, chosen: &Facts) -> Authority {
        match self.criteria.request.backend {
            BackendRequest::Auto if self.time(chosen).is_some() => Authority::Measured,
            BackendRequest::Auto => Authority::Rank,
            BackendRequest::One(_) | BackendRequest::List(_) => self.criteria.request.by,
        }
    }

    fn rejected(&self, chosen: &Facts) -> Vec<Rejected> {
        let known = self
            .candidates
            .iter()
            .filter(|c| c.id != chosen.id)
            .map(|c| Rejected {
                id: c.id.clone(),
                reason: self.reason(c, chosen),
                available: self.is_available(c),
            });
        let mut rejected: Vec<_> = known.chain(self.unknown_of_list()).collect();
        for (id, reason) in &self.criteria.turned_away {
            if self.find(id).is_none() && !rejected.iter().any(|r| r.id == *id) {
                rejected.push(absent(id, reason.clone()));
            }
        }
        rejected
    }

    /// The ids of a list that no candidate has.
    fn unknown_of_list(&self) -> impl Iterator<Item = Rejected> {
        let ids = match &self.criteria.request.backend {
            BackendRequest::List(ids) => ids.as_slice(),
            BackendRequest::Auto | BackendRequest::One(_) => &[],
        };
        ids.iter()
            .filter(|id| self.find(id).is_none())
            .map(|id| absent(id, self.why_absent(id)))
    }

    fn why_absent(&self, id: &str) -> String {
        let Criteria {
            turned_away,
            lacking,
            ..
        } = self.criteria;
        turned_away.get(id).cloned().unwrap_or_else(|| {
            let unknown = format!("no {} is called this{}", self.kind, self.suggestion(id));
            let lacking = lacking.iter().map(String::as_str);
            let stated: Vec<_> = std::iter::once(&*unknown).chain(lacking).collect();
            stated.join("; ")
        })
    }

    fn reason(&self, facts: &Facts, chosen: &Facts) -> String {
        if let Some(obstacle) = self.obstacle(facts) {
            return obstacle.reason();
        }
        let by = self.criteria.request.by.subject();
        match &self.criteria.request.backend {
            BackendRequest::One(id) => format!("not asked for: {by} names {id}"),
            BackendRequest::List(ids) if ids.contains(&facts.id) => {
                format!(
                    "comes after {} where {by} lists {}",
                    chosen.id,
                    ids.join(", ")
                )
            }
            BackendRequest::List(ids) => format!("not asked for: {by} lists {}", ids.join(", ")),
            BackendRequest::Auto if facts.rank < 0 => ONLY_BY_NAME.to_owned(),
            BackendRequest::Auto => self.comparison(facts, chosen),
        }
    }

    /// Why `auto` preferred `chosen`.
    fn comparison(&self, facts: &Facts, chosen: &Facts) -> String {
        let best = &chosen.id;
        match (self.time(facts), self.time(chosen)) {
            (Some(time), Some(best_time)) if time > best_time => slower(time / best_time, best),
            (Some(_), Some(_)) => {
                format!(
                    "measured as fast as {best}; {}",
                    rank_comparison(facts, chosen)
                )
            }
            (None, Some(_)) => self.unmeasured(&facts.id, best),
            (_, None) => rank_comparison(facts, chosen),
        }
    }

    /// Why a backend has no time altogether where `best` has one.
    fn unmeasured(&self, id: &str, best: &str) -> String {
        let kernels = &self.criteria.measured.kernels;
        let wrong = kernels
            .iter()
            .find_map(|(kernel, times)| Some((kernel, times.wrong.get(id)?)));
        if let Some((kernel, found)) = wrong {
            return format!("its {} is wrong: {found}", kernel.name());
        }
        let timed = |times: &KernelTimes| times.sizes.iter().any(|size| size.contains_key(id));
        match kernels.values().filter(|times| timed(times)).count() {
            0 => format!("not measured, and {best} was"),
            some => format!(
                "has {some} of the {} kernels that were measured",
                kernels.len()
            ),
        }
    }

    fn nothing(&self) -> Error {
        let (kind, by) = (self.kind, self.criteria.request.by.subject());
        let message = match &self.criteria.request.backend {
            BackendRequest::List(ids) => {
                let listed = ids.iter().filter_map(|id| self.find(id));
                let why = self.why_not(listed, self.unknown_of_list());
                let available = self.available();
                format!("no {kind} that {by} lists is available: {why} ({available})")
            }
            _ if self.candidates.is_empty() => {
                format!("no {kind} is available: none is registered")
            }
            _ => {
                let all = self.candidates.iter().copied();
                format!(
                    "no {kind} is available: {}",
                    self.why_not(all, std::iter::empty())
                )
            }
        };
        Error::new(ErrorKind::Unavailable, message)
    }

    /// What keeps each of `facts` from being taken, then `others`.
    fn why_not<'f>(
        &self,
        facts: impl Iterator<Item = &'f Facts>,
        others: impl Iterator<Item = Rejected>,
    ) -> String {
        let why = |facts: &Facts| match self.obstacle(facts) {
            Some(obstacle) => obstacle.reason(),
            None => ONLY_BY_NAME.to_owned(),
        };
        let known = facts.map(|c| format!("{} ({})", c.id, why(c)));
        let others = others.map(|r| format!("{} ({})", r.id, r.reason));
        known.chain(others).collect::<Vec<_>>().join(", ")
    }

    fn available(&self) -> String {
        let available = self.candidates.iter().filter(|c| self.is_available(c));
        listed("available", available.map(|c| c.id.as_str()))
    }

    fn unknown(&self, id: &str) -> Error {
        let all = listed("there are", self.candidates.iter().map(|c| c.id.as_str()));
        let message = format!(
            "no {} is called {id:?}{} ({all})",
            self.kind,
            self.suggestion(id)
        );
        Error::new(ErrorKind::NotFound, message)
    }

    fn suggestion(&self, id: &str) -> String {
        suggestion(id, self.candidates.iter().map(|c| c.id.as_str()))
    }
}

fn absent(id: &str, reason: String) -> Rejected {
    Rejected {
        id: id.to_owned(),
        reason,
        available: false,
    }
}

const ONLY_BY_NAME: &str = "only by name: its rank is negative";

fn rank_comparison(facts: &Facts, chosen: &Facts) -> String {
    let (rank, best, best_rank) = (facts.rank, &chosen.id, chosen.rank);
    if rank == best_rank {
        format!("rank {rank} equals {best}'s; ties go by id")
    } else {
        format!("rank {rank} is below {best}'s {best_rank}")
    }
}

/// How much slower than the best something was measured, in the words of a rejection.
pub(crate) fn slower(ratio: f64, best: &str) -> String {
    match ratio {
        ratio if ratio < 1.05 => format!("measured slightly slower than {best}"),
        ratio => format!("measured {ratio:.1}x slower than {best}"),
    }
}

/// "`label`: a, b", or "`label`: none".
pub(crate) fn listed<'s>(label: &str, names: impl Iterator<Item = &'s str>) -> String {
    let names = names.collect::<Vec<_>>().join(", ");
    format!(
        "{label}: {}",
        if names.is_empty() { "none" } else { &names }
    )
}

/// "; did you mean ...?" with the name nearest to a mistyped one, or nothing if none is near.
pub(crate) fn suggestion<'s>(found: &str, names: impl Iterator<Item = &'s str>) -> String {
    let likeness = |name: &str| strsim::jaro_winkler(&found.to_lowercase(), &name.to_lowercase());
    let near = names
        .map(|name| (likeness(name), name))
        .filter(|(likeness, _)| *likeness > 0.7);
    match near.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((_, name)) => format!("; did you mean {name:?}?"),
        None => String::new(),
    }
}
