"""Measure a model so that the measurement can be rerun (docs/evaluation.md).

::

    gallery      the split that is measured: ids, groups, categories
    protocols    candidate lists and matching pairs, drawn from explicit seeds; ``candidate_files`` keeps them
    systems      what is measured: functions from pairs of indices to scores
    ranking      rank of the truth, recall, MRR (numpy alone); ``full`` ranks whole galleries and re-ranks
    matching     accuracy, AUC, average precision, calibration
    significance bootstrap intervals over queries
    run          evaluate(): all of the above, every rank kept; ``figures`` sums them up
    report       report.json, report.md and the pictures; ``trec`` writes what other tools can read
    model        a trained model as systems; ``measure`` goes from a run folder to its report
"""
