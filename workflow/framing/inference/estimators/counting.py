"""Classify and count: the share of passages that the classifier marks, corrected by nothing."""

from __future__ import annotations

import numpy as np

from framing.inference.clusters import adjusted_deviations
from framing.inference.corrected import ONE_SOURCE, Estimate, unestimable
from framing.inference.design import CORPUS, TEXTS, Domain, Population
from framing.inference.estimator import CLASSIFIER, THRESHOLD, Estimator, Words, of_sampled_frame
from framing.inference.intervals import Settings
from framing.inference.outcomes import Outcome
from framing.inference.variances import sums

ONLY_CLASSIFIER = "classifier only: no draw covers these passages, so its errors are unknown"


class Counting(Estimator):
    """The mean decision of a domain's passages.

    Its standard error is the customary binomial one under ``corpus`` and cluster-robust under
    ``texts``; neither knows of the classifier's errors. Of a domain that no draw covers, all
    passages are counted, and the note says that nothing else is known of them.
    """

    def estimate(
        self, frame: Population, part: Domain, data: Outcome, settings: Settings
    ) -> Estimate:
        """Return the share of passages the classifier marks, uncorrected."""
        empty = unestimable(part, data)
        if empty is not None and not len(part.rows) + len(part.outside):
            return of_sampled_frame(empty, part)
        rows, note = (part.rows, "") if len(part.rows) else (part.outside, ONLY_CLASSIFIER)
        source = frame.source[rows]
        decision = data.decision[rows].astype(float)
        share, size = float(decision.mean()), len(decision)
        of_source = sums(source, (decision - share) / size, frame.sources)
        in_source = np.bincount(source, minlength=frame.sources).astype(float)
        sources = int((in_source > 0).sum())
        deviations, free = adjusted_deviations(
            of_source, in_source, in_source, settings.source_correlation
        )
        variance = {
            CORPUS: share * (1 - share) / size, TEXTS: float(np.square(deviations).sum())
        }  # fmt: skip
        found = Estimate(
            value=share,
            coded=size,
            positives=int(decision.sum()),
            effective=float(size),
            reference=share,
            variance=variance,
            deviations={TEXTS: deviations},
            df={CORPUS: np.inf, TEXTS: free},
            missing={TEXTS: ONE_SOURCE} if sources < 2 else {},
            note=note,
        )
        return of_sampled_frame(found, part)


ESTIMATOR = Counting(
    name="classify-and-count",
    uses=frozenset((CLASSIFIER, THRESHOLD)),
    words=Words(
        label="classify and count",
        brief="the classifier's count, not corrected",
        description=(
            "the share the classifier marks, taken at its word; its errors are not corrected and "
            "its interval leaves them out, so it is given only to show how far off it lies"
        ),
    ),
)
