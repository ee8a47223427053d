# From facts and labels to a probability and a decision for every passage and code.
#
# needs: build/{passages,labels,words,hits,votes,exemplars}.tsv
# makes: build/scores/CODE.tsv     cross-fitted by source
#        results/models/CODE.json  the classifier trained on all codings, as plain data
#        build/scores.tsv          all codes and configured combinations


rule train:
    input:
        passages="build/passages.tsv",
        labels="build/labels.tsv",
        words="build/words.tsv",
        hits="build/hits.tsv",
        votes="build/votes.tsv",
        exemplars="build/exemplars.tsv",
        code=stages.package("model"),
    output:
        scores="build/scores/{code}.tsv",
        model="results/models/{code}.json",
    log:
        "build/logs/train-{code}.log",
    conda:
        "../envs/framing.yaml"
    params:
        classifier=PLAN.config["classifier"],
        versions=PLAN.versions,
    message:
        "Training and cross-fitting the classifier of {wildcards.code}"
    script:
        "../scripts/train.py"


rule scores:
    input:
        scores=expand("build/scores/{code}.tsv", code=PLAN.codes),
        code=stages.package("model"),
    output:
        "build/scores.tsv",
    log:
        "build/logs/scores.log",
    conda:
        "../envs/framing.yaml"
    params:
        combinations=PLAN.config["combinations"],
        versions=PLAN.versions,
    message:
        "Combining codes"
    script:
        "../scripts/scores.py"
