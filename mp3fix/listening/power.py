"""How many listeners and trials a test needs; `python -m mp3fix.listening.power` prints tables of both."""

from math import ceil, comb, log2, sqrt

# Of Wilcoxon's test against the t test where differences are normal: 3 / pi (Hodges & Lehmann 1956).
_EFFICIENCY = 0.955
_MOST_TRIALS = 400


def listeners_needed(effect: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Listeners with whom Wilcoxon's test, two-sided, finds a difference with this probability.

    By the noncentral t distribution of the paired t test, divided by the efficiency of Wilcoxon's.

    Args:
        effect: mean of the listeners' differences by their standard deviation.
        power: probability to find it.
        alpha: probability to find one that is not there.
    """
    from scipy.stats import nct, t

    n = 2
    while True:
        bound = t.ppf(1 - alpha / 2, n - 1)
        shift = effect * sqrt(n)
        if nct.sf(bound, n - 1, shift) + nct.cdf(-bound, n - 1, shift) >= power:
            # Below 6 listeners Wilcoxon's p cannot be under 0.05, whatever they say: 2 / 2**5 = 0.0625.
            return max(ceil(n / _EFFICIENCY), ceil(1 - log2(alpha)))
        n += 1


def trials_needed(share: float, power: float = 0.8, alpha: float = 0.05) -> tuple[int, int]:
    """ABX trials with which one who is right that often is found, and the right answers it then takes.

    Power is a saw-tooth of the number of trials, as answers are whole: from the number returned on it stays above
    `power`.

    Raises:
        ValueError: more than 400 are needed.
    """
    found = None
    for n in range(_MOST_TRIALS, 0, -1):
        need, above = n + 1, 0
        while need and (above + comb(n, need - 1)) < alpha * 2**n:
            need -= 1
            above += comb(n, need)
        reached = sum(comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(need, n + 1))
        if reached < power:
            break
        found = n, need
    if found is None:
        raise ValueError(f"with {share} right answers, more than {_MOST_TRIALS} trials are needed")
    return found


def main() -> None:
    """Print both tables."""
    print("| mean difference / SD of the listeners' differences | listeners |\n|---|---|")
    for effect in (2.0, 1.5, 1.2, 1.0, 0.8, 0.6, 0.5, 0.3):
        print(f"| {effect:.1f} | {listeners_needed(effect)} |")
    print("\n| right answers in the long run | trials | right answers for p < 0.05 |\n|---|---|---|")
    for right in (0.95, 0.9, 0.8, 0.75, 0.7, 0.65, 0.6):
        trials, need = trials_needed(right)
        print(f"| {right:.0%} | {trials} | {need} |")


if __name__ == "__main__":
    main()
