//! Whether different persons can be found for the steps of a request.

use std::collections::{BTreeMap, BTreeSet};

use super::StepMode;
use crate::values::UserId;

/// The first step for which nobody is left when each step is decided by different persons, who are given with its
/// mode; none when all can be decided (bipartite matching by augmenting paths).
///
/// Whoever a step of mode `all` names is kept for it: they could agree to no other step without leaving it.
pub(super) fn undecidable(steps: &[(StepMode, Vec<UserId>)]) -> Option<usize> {
    let mut kept: BTreeSet<UserId> = BTreeSet::new();
    for (at, (mode, candidates)) in steps.iter().enumerate() {
        if *mode == StepMode::All {
            let free: Vec<UserId> = candidates.iter().filter(|user| !kept.contains(user)).copied().collect();
            if free.is_empty() {
                return Some(at);
            }
            kept.extend(free);
        }
    }
    let free: Vec<Vec<UserId>> = steps
        .iter()
        .map(|(mode, candidates)| match mode {
            StepMode::Any => candidates.iter().filter(|user| !kept.contains(user)).copied().collect(),
            StepMode::All => Vec::new(),
        })
        .collect();
    let mut taken = BTreeMap::new();
    let one = |at: &usize| steps[*at].0 == StepMode::Any;
    (0..steps.len()).filter(one).find(|at| !place(*at, &free, &mut taken, &mut Vec::new()))
}

/// Finds a person for the step `at`, moving others where they can move. `taken` says who decides what.
fn place(
    at: usize,
    candidates: &[Vec<UserId>],
    taken: &mut BTreeMap<UserId, usize>,
    tried: &mut Vec<UserId>,
) -> bool {
    for user in &candidates[at] {
        if tried.contains(user) {
            continue;
        }
        tried.push(*user);
        let free = match taken.get(user).copied() {
            None => true,
            Some(other) => place(other, candidates, taken, tried),
        };
        if free {
            taken.insert(*user, at);
            return true;
        }
    }
    false
}
