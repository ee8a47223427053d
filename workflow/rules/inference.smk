# From codings and scores to agreement, classifier quality, prevalence and contrasts.
#
# needs: build/{passages,codings,codes,scores}.tsv
# makes: results/tables/T2-agreement.csv T3-classifier.csv T4-prevalence.csv T5-trend.csv
#        T6-contrasts.csv


rule reliability:
    input:
        passages="build/passages.tsv",
        codings="build/codings.tsv",
        scores="build/scores.tsv",
        code=stages.package("inference"),
        captions=stages.asset("report/tables.yaml"),
    output:
        agreement="results/tables/T2-agreement.csv",
        classifier="results/tables/T3-classifier.csv",
    log:
        "build/logs/reliability.log",
    conda:
        "../envs/framing.yaml"
    params:
        config=PLAN.settings("groups", "agreement", "classifier", "inference"),
        codes=PLAN.codes,
        versions=PLAN.versions,
    message:
        "Agreement of coders and quality of classifiers"
    script:
        "../scripts/reliability.py"


rule prevalence:
    input:
        passages="build/passages.tsv",
        scores="build/scores.tsv",
        codes="build/codes.tsv",
        code=stages.package("inference"),
        captions=stages.asset("report/tables.yaml"),
    output:
        prevalence="results/tables/T4-prevalence.csv",
        trend="results/tables/T5-trend.csv",
        contrasts="results/tables/T6-contrasts.csv",
    log:
        "build/logs/prevalence.log",
    conda:
        "../envs/framing.yaml"
    params:
        config=PLAN.settings(
            "groups", "periods", "undated", "inference", "contrasts", "report"
        ),
        versions=PLAN.versions,
    message:
        "Estimating prevalence, trends and contrasts"
    script:
        "../scripts/prevalence.py"
