# From codings and scores to agreement, classifier quality, prevalence and contrasts.
#
# needs: build/{passages,codings,codes,scores}.tsv, build/sampled/passages.tsv,
#        build/{sampled,further}/words.tsv, build/{scores,predictions,learning}/*.tsv
# makes: results/tables/T2-agreement.csv T4-prevalence.csv T5-trend.csv T6-contrasts.csv
#        T9-robustness.csv T11-errors.csv T13-ablations.csv T14-learning.csv
#        T15-calibration.csv T16-specifications.csv T17-disagreements.csv T18-coder-shares.csv
#        T19-association.csv T20-estimators.csv T21-gain.csv T22-looking.csv
#        build/sampled/T3-classifier.csv T10-regression.csv   but for what they say of all passages


rule reliability:
    input:
        passages="build/sampled/passages.tsv",
        codings="build/codings.tsv",
        scores=expand("build/scores/{code}.tsv", code=PLAN.codes),
        code=stages.code("reliability"),
        captions=stages.asset("report/tables.yaml"),
    output:
        agreement="results/tables/T2-agreement.csv",
        disagreements="results/tables/T17-disagreements.csv",
        shares="results/tables/T18-coder-shares.csv",
    log:
        "build/logs/reliability.log",
    conda:
        "../envs/framing.yaml"
    params:
        mark=PLAN.mark,
        config=PLAN.settings(
            "groups", "agreement", "case_study", "coders", "combinations", "inference"
        ),
        codes=PLAN.codes,
        versions=PLAN.versions,
    message:
        "Agreement of coders"
    script:
        "../scripts/reliability.py"


rule quality:
    input:
        passages="build/sampled/passages.tsv",
        scores=expand("build/scores/{code}.tsv", code=PLAN.codes),
        predictions=expand("build/predictions/{code}.tsv", code=PLAN.codes),
        learning=expand("build/learning/{code}.tsv", code=PLAN.codes),
        code=stages.code("quality"),
        captions=stages.asset("report/tables.yaml"),
    output:
        classifier="build/sampled/T3-classifier.csv",
        ablations="results/tables/T13-ablations.csv",
        learning="results/tables/T14-learning.csv",
        calibration="results/tables/T15-calibration.csv",
        looking="results/tables/T22-looking.csv",
    log:
        "build/logs/quality.log",
    conda:
        "../envs/framing.yaml"
    params:
        mark=PLAN.mark,
        config=PLAN.settings("groups", "agreement", "classifier", "evaluation", "inference"),
        versions=PLAN.versions,
    message:
        "Quality of the classifiers, what their ingredients bring, and what looking did"
    script:
        "../scripts/quality.py"


rule prevalence:
    input:
        passages="build/passages.tsv",
        scores="build/scores.tsv",
        codes="build/codes.tsv",
        codings="build/codings.tsv",
        code=stages.code("prevalence"),
        captions=stages.asset("report/tables.yaml"),
    output:
        prevalence="results/tables/T4-prevalence.csv",
        trend="results/tables/T5-trend.csv",
        contrasts="results/tables/T6-contrasts.csv",
        association="results/tables/T19-association.csv",
        errors="results/tables/T11-errors.csv",
        estimators="results/tables/T20-estimators.csv",
        gain="results/tables/T21-gain.csv",
    log:
        "build/logs/prevalence.log",
    conda:
        "../envs/framing.yaml"
    params:
        mark=PLAN.mark,
        config=PLAN.settings(
            "groups", "periods", "undated", "coders", "combinations", "inference",
            "standardisation", "contrasts", "case_study", "report"
        ),
        codes=PLAN.codes,
        versions=PLAN.versions,
    # Figures wait for it, and the report for these: nothing else takes longer to follow.
    priority: 4
    message:
        "Estimating prevalence, trends and contrasts, and what the classifiers are worth"
    script:
        "../scripts/prevalence.py"


rule robustness:
    input:
        passages="build/sampled/passages.tsv",
        codings="build/codings.tsv",
        scores=expand("build/scores/{code}.tsv", code=PLAN.codes),
        predictions=expand("build/predictions/{code}.tsv", code=PLAN.codes),
        code=stages.code("robustness"),
        captions=stages.asset("report/tables.yaml"),
    output:
        robustness="results/tables/T9-robustness.csv",
        specifications="results/tables/T16-specifications.csv",
    log:
        "build/logs/robustness.log",
    conda:
        "../envs/framing.yaml"
    params:
        mark=PLAN.mark,
        config=PLAN.settings(
            "groups", "periods", "case_study", "coders", "combinations", "inference", "contrasts",
            "standardisation", "robustness"
        ),
        codes=PLAN.codes,
        versions=PLAN.versions,
    message:
        "Contrasts under every specification"
    script:
        "../scripts/robustness.py"


rule regression:
    input:
        passages="build/sampled/passages.tsv",
        rows=stages.SAMPLED,
        scores=expand("build/scores/{code}.tsv", code=PLAN.codes),
        formulas="build/formulas.checked",
        code=stages.code("regression"),
        captions=stages.asset("report/tables.yaml"),
    output:
        regression="build/sampled/T10-regression.csv",
    log:
        "build/logs/regression.log",
    conda:
        "../envs/framing.yaml"
    params:
        config=PLAN.settings(
            "groups", "periods", "undated", "case_study", "combinations", "inference", "regression"
        ),
        versions=PLAN.versions,
    message:
        "Regressing codes on columns of the sources"
    script:
        "../scripts/regression.py"
