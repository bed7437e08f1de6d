"""Funnels in plain Python, from the words of `fk.funnel` alone: every chain is looked at."""

from itertools import permutations


def best_chain(events, steps, within, *, order, ties, begins=lambda _: True):
    """The level, the times and the key of one entity's best chain.

    Args:
        events: Its events, as (time, names, key): an event is each step that its names hold.
        steps: The steps.
        within: How long they may take, or None.
        order: "ordered", "strict" or "any".
        ties: "chain" or "increase".
        begins: Whether the first step may be at a time.
    """
    for level in range(len(steps), 0, -1):
        chains = [
            chain
            for chain in permutations(range(len(events)), level)
            if begins(events[chain[0]][0])
            and is_chain(chain, events, steps, within, order=order, ties=ties)
        ]
        if chains:
            if order == "strict":
                return level, *first_of_neighbours(chains, events, steps)
            times = chosen(chains, events, order)
            return level, times, lowest_key(chains, events, times)
    return 0, (), None


def is_chain(chain, events, steps, within, *, order, ties):
    times = [events[place][0] for place in chain]
    if not all(step in events[place][1] for step, place in zip(steps, chain, strict=False)):
        return False
    if within is not None and max(times) - min(times) > within:
        return False
    if order == "any":
        return True
    pairs = list(zip(times, times[1:], strict=False))
    if order == "strict" and not are_neighbours(chain, events, steps):
        return False
    if ties == "increase":
        return all(one < two for one, two in pairs)
    return all(one <= two for one, two in pairs)


def are_neighbours(chain, events, steps):
    """Whether each event of a chain is the very next one after the one before."""
    place = {number: position for position, number in enumerate(in_order(events, steps))}
    positions = [place[number] for number in chain]
    return all(two == one + 1 for one, two in zip(positions, positions[1:], strict=False))


def in_order(events, steps):
    """The events by time; those of one instant in the order of the steps, then the others."""

    def key(number):
        time, names, own = events[number]
        its = [place for place, step in enumerate(steps) if step in names]
        return time, its[0] if its else len(steps), sum(2**place for place in its), own

    return sorted(range(len(events)), key=key)


def chosen(chains, events, order):
    """The times of the chain that is there first, of these of the one that starts last."""
    timed = [tuple(events[place][0] for place in chain) for chain in chains]
    if order == "any":
        first = min(max(times) for times in timed)
        ended = [times for times in timed if max(times) == first]
        return max(ended, key=lambda times: (min(times), times))
    first = min(times[-1] for times in timed)
    ended = [times for times in timed if times[-1] == first]
    start = max(times[0] for times in ended)
    return min(times for times in ended if times[0] == start)


def lowest_key(chains, events, times):
    """The key of the first step: of the events that it can be the one whose key comes first."""
    timed = [chain for chain in chains if tuple(events[place][0] for place in chain) == times]
    return min(events[chain[0]][2] for chain in timed)


def first_of_neighbours(chains, events, steps):
    """The times and the key of the chain whose last event is the first in the order of events."""
    place = {number: position for position, number in enumerate(in_order(events, steps))}
    first = min(chains, key=lambda chain: place[chain[-1]])
    return tuple(events[number][0] for number in first), events[first[0]][2]
