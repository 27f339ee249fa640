//! Fair sharing of pool customers among members (公平分配).

use crate::text_enum;

text_enum! {
    /// How customers are shared among members.
    pub enum Strategy {
        /// One after the other, in the order in which the members are named.
        RoundRobin = "round_robin" ("Round robin", "轮流分配"),
        /// Each to whoever owns the fewest then.
        LeastLoaded = "least_loaded" ("Least loaded", "持有最少优先"),
        /// In proportion to the members' weights.
        Weighted = "weighted" ("Weighted", "按权重分配"),
    }
}

/// A member who may receive customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// How many customers the member owns already.
    pub owned: i64,
    /// How many more the member may own.
    pub capacity: i64,
    /// The member's weight, at least 1.
    pub weight: i64,
}

/// Shares so many things among seats. Answers with the place of the seat that gets each; none once every seat is
/// full.
pub fn distribute(strategy: Strategy, seats: &[Seat], things: usize) -> Vec<Option<usize>> {
    match strategy {
        Strategy::RoundRobin => round_robin(seats, things),
        Strategy::LeastLoaded => least_loaded(seats, things),
        Strategy::Weighted => weighted(seats, things),
    }
}

fn round_robin(seats: &[Seat], things: usize) -> Vec<Option<usize>> {
    let mut given = vec![0; seats.len()];
    let mut next = 0;
    let mut turn = || {
        let mut seat = (0..seats.len()).map(|ahead| (next + ahead) % seats.len());
        let seat = seat.find(|seat| given[*seat] < seats[*seat].capacity)?;
        given[seat] += 1;
        next = seat + 1;
        Some(seat)
    };
    (0..things).map(|_| turn()).collect()
}

fn least_loaded(seats: &[Seat], things: usize) -> Vec<Option<usize>> {
    let mut given = vec![0; seats.len()];
    let mut turn = || {
        let free = (0..seats.len()).filter(|seat| given[*seat] < seats[*seat].capacity);
        let seat = free.min_by_key(|seat| seats[*seat].owned + given[*seat])?;
        given[seat] += 1;
        Some(seat)
    };
    (0..things).map(|_| turn()).collect()
}

/// By the largest remainder (Hamilton): each seat gets its exact share, rounded down or up. Whoever has no room for
/// theirs is filled first, and the rest is shared among the others; only that is rounded, and only once.
fn weighted(seats: &[Seat], things: usize) -> Vec<Option<usize>> {
    let mut quotas = vec![0_i64; seats.len()];
    let mut left = i64::try_from(things).unwrap_or(i64::MAX);
    let mut open: Vec<usize> = (0..seats.len()).collect();
    loop {
        let total: i128 = open.iter().map(|seat| weight(&seats[*seat])).sum();
        let has_room = |seat: &usize| {
            i128::from(seats[*seat].capacity) * total > i128::from(left) * weight(&seats[*seat])
        };
        let (with_room, full): (Vec<usize>, Vec<usize>) = open.iter().partition(|seat| has_room(seat));
        if full.is_empty() {
            break;
        }
        for seat in full {
            quotas[seat] = seats[seat].capacity.max(0);
            left -= quotas[seat];
        }
        open = with_room;
    }
    for (seat, share) in open.iter().zip(shares(&open, seats, left)) {
        quotas[*seat] = share;
    }
    // Whoever is furthest behind their quota is next, so that the shares are spread evenly over the things.
    let mut given = vec![0_i64; seats.len()];
    let mut turn = || {
        let open = (0..seats.len()).filter(|seat| given[*seat] < quotas[*seat]);
        // Compares (given + 1) / quota without fractions.
        let seat = open.min_by(|a, b| {
            let left = i128::from(given[*a] + 1) * i128::from(quotas[*b]);
            left.cmp(&(i128::from(given[*b] + 1) * i128::from(quotas[*a])))
        })?;
        given[seat] += 1;
        Some(seat)
    };
    (0..things).map(|_| turn()).collect()
}

fn weight(seat: &Seat) -> i128 {
    i128::from(seat.weight.max(1))
}

fn shares(open: &[usize], seats: &[Seat], things: i64) -> Vec<i64> {
    let total: i128 = open.iter().map(|seat| weight(&seats[*seat])).sum();
    let exact: Vec<i128> = open.iter().map(|seat| weight(&seats[*seat]) * i128::from(things)).collect();
    let mut shares: Vec<i64> =
        exact.iter().map(|share| i64::try_from(share / total).unwrap_or(i64::MAX)).collect();
    let rest = things - shares.iter().sum::<i64>();
    let mut by_remainder: Vec<usize> = (0..open.len()).collect();
    by_remainder.sort_by_key(|at| std::cmp::Reverse(exact[*at] % total));
    for at in by_remainder.into_iter().take(usize::try_from(rest).unwrap_or(0)) {
        shares[at] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Seat, Strategy as Sharing, distribute};

    fn seats() -> impl Strategy<Value = Vec<Seat>> {
        let seat = (0..40_i64, 0..30_i64, 1..9_i64).prop_map(|(owned, capacity, weight)| Seat {
            owned,
            capacity,
            weight,
        });
        proptest::collection::vec(seat, 1..8)
    }

    fn received(seats: &[Seat], given: &[Option<usize>]) -> Vec<i64> {
        let count = |seat| given.iter().filter(|to| **to == Some(seat)).count();
        (0..seats.len()).map(|seat| i64::try_from(count(seat)).unwrap()).collect()
    }

    proptest! {
        /// Nobody gets more than they may own, and nothing is left while somebody has room.
        #[test]
        fn capacity_is_kept_and_used(seats in seats(), things in 0..150_usize, which in 0..3_usize) {
            let given = distribute(Sharing::ALL[which], &seats, things);
            prop_assert_eq!(given.len(), things);
            let received = received(&seats, &given);
            for (seat, got) in seats.iter().zip(&received) {
                prop_assert!(*got <= seat.capacity);
            }
            let room: i64 = seats.iter().map(|seat| seat.capacity).sum();
            let placed = i64::try_from(given.iter().flatten().count()).unwrap();
            prop_assert_eq!(placed, room.min(i64::try_from(things).unwrap()));
        }

        /// Afterwards, whoever received something owns at most one more than anybody who still has room.
        #[test]
        fn the_least_loaded_come_first(seats in seats(), things in 0..150_usize) {
            let received = received(&seats, &distribute(Sharing::LeastLoaded, &seats, things));
            for (at, got) in received.iter().enumerate().filter(|(_, got)| **got > 0) {
                for (other, _) in seats.iter().enumerate().filter(|(other, seat)| received[*other] < seat.capacity) {
                    prop_assert!(seats[at].owned + got <= seats[other].owned + received[other] + 1);
                }
            }
        }

        /// With room for all, each gets the exact share, rounded down or up.
        #[test]
        fn weights_are_kept_within_one(seats in seats(), things in 0..150_usize) {
            let seats: Vec<Seat> = seats.into_iter().map(|seat| Seat { capacity: 1000, ..seat }).collect();
            let received = received(&seats, &distribute(Sharing::Weighted, &seats, things));
            let total: i64 = seats.iter().map(|seat| seat.weight).sum();
            let things = i64::try_from(things).unwrap();
            for (seat, got) in seats.iter().zip(received) {
                prop_assert!((got * total - seat.weight * things).abs() < total);
            }
        }

        /// With room for some, each of those who are not full is within one of the share that all of them have.
        #[test]
        fn weights_are_kept_among_those_with_room(seats in seats(), things in 0..150_usize) {
            let received = received(&seats, &distribute(Sharing::Weighted, &seats, things));
            let open: Vec<(i64, i64)> = seats
                .iter()
                .zip(&received)
                .filter(|(seat, got)| **got < seat.capacity)
                .map(|(seat, got)| (*got, seat.weight))
                .collect();
            for ((got, weight), (other_got, other_weight)) in open.iter().flat_map(|a| open.iter().map(move |b| (a, b))) {
                prop_assert!((got * other_weight - other_got * weight).abs() < weight + other_weight);
            }
        }

        /// In turn, no two who have room differ by more than one.
        #[test]
        fn turns_are_even(seats in seats(), things in 0..150_usize) {
            let received = received(&seats, &distribute(Sharing::RoundRobin, &seats, things));
            let open: Vec<i64> = seats
                .iter()
                .zip(&received)
                .filter(|(seat, got)| **got < seat.capacity)
                .map(|(_, got)| *got)
                .collect();
            if let (Some(least), Some(most)) = (open.iter().min(), open.iter().max()) {
                prop_assert!(most - least <= 1);
            }
        }
    }

    #[test]
    fn whoever_is_full_leaves_an_even_rest() {
        let seats = [(3, 2), (3, 2), (1, 3), (1, 50), (1, 50), (1, 50)];
        let seats = seats.map(|(weight, capacity)| Seat { owned: 0, capacity, weight });
        assert_eq!(received(&seats, &distribute(Sharing::Weighted, &seats, 16)), [2, 2, 3, 3, 3, 3]);
    }
}
