# From facts and labels to a probability and a decision for every passage and code.
#
# needs: build/{codes,labels,votes,patterns,rules,exemplars}.tsv, build/sampled/passages.tsv,
#        build/passages.tsv, build/facts/; with an encoder, every text
# makes: build/closeness.json       how close words are to the codebook's rules
#        build/scores/CODE.tsv     of passages of sampled sources, cross-fitted by source
#        build/fits/CODE.json      the classifiers of all folds, for passages of other sources
#        build/predictions/CODE.tsv, build/learning/CODE.tsv   of baselines, ablations, fewer codings
#        results/models/CODE.json  the classifier trained on all codings, as plain data
#        build/scores.tsv          all passages, all codes and configured combinations
#        build/instrument.tsv      the same by another instrument, where one is configured
#        build/embeddings.tsv      of passages and exemplars, where an encoder is configured


rule closeness:
    input:
        passages="build/sampled/passages.tsv",
        words=PLAN.words("sampled"),
        rules="build/rules.tsv",
        code=code("closeness"),
    output:
        "build/closeness.json",
    log:
        "build/logs/closeness.log",
    conda:
        "../envs/framing.yaml"
    params:
        config=PLAN.closeness,
        versions=PLAN.versions,
    # Every classifier waits for it.
    priority: 3
    message:
        "Learning how close words are to the codebook's rules"
    script:
        "../scripts/closeness.py"


rule train:
    input:
        passages="build/sampled/passages.tsv",
        codes="build/codes.tsv",
        labels="build/labels.tsv",
        words=[*PLAN.words("sampled"), "build/facts/taught.npz"],
        hits=[*PLAN.hits("sampled"), "build/facts/taught.tsv"],
        patterns="build/patterns.tsv",
        exemplars="build/exemplars.tsv",
        closeness="build/closeness.json",
        code=code("train"),
    output:
        scores="build/scores/{code}.tsv",
        fits="build/fits/{code}.json",
        model="results/models/{code}.json",
    log:
        "build/logs/train-{code}.log",
    conda:
        "../envs/framing.yaml"
    params:
        config=PLAN.classifier,
        versions=PLAN.versions,
    message:
        "Training and cross-fitting the classifier of {wildcards.code}"
    script:
        "../scripts/train.py"


rule evaluate:
    input:
        passages="build/sampled/passages.tsv",
        codes="build/codes.tsv",
        labels="build/labels.tsv",
        words=[*PLAN.words("sampled"), "build/facts/taught.npz"],
        hits=[*PLAN.hits("sampled"), "build/facts/taught.tsv"],
        patterns="build/patterns.tsv",
        exemplars="build/exemplars.tsv",
        closeness="build/closeness.json",
        votes="build/votes.tsv",
        embeddings=PLAN.embeddings,
        code=code("evaluate"),
    output:
        predictions="build/predictions/{code}.tsv",
        learning="build/learning/{code}.tsv",
    log:
        "build/logs/evaluate-{code}.log",
    conda:
        "../envs/framing.yaml"
    params:
        config=PLAN.settings("classifier", "evaluation"),
        # Under these every estimate is made anew, so they must speak of every passage.
        everywhere=PLAN.config["robustness"]["classifiers"],
        versions=PLAN.versions,
    message:
        "Comparing the classifier of {wildcards.code} with plain ones and with parts of itself"
    script:
        "../scripts/evaluate.py"


rule scores:
    input:
        passages="build/passages.tsv",
        codes="build/codes.tsv",
        scores=expand("build/scores/{code}.tsv", code=PLAN.codes),
        fits=expand("build/fits/{code}.json", code=PLAN.codes),
        words=PLAN.words("further"),
        hits=PLAN.hits("further"),
        patterns="build/patterns.tsv",
        closeness="build/closeness.json",
        code=code("scores"),
    output:
        "build/scores.tsv",
    log:
        "build/logs/scores.log",
    conda:
        "../envs/framing.yaml"
    params:
        codes=PLAN.codes,
        config=PLAN.classifier,
        combinations=PLAN.config["combinations"],
        versions=PLAN.versions,
    message:
        "Scoring passages of further sources, and combining codes"
    script:
        "../scripts/scores.py"


if PLAN.coded:

    rule instrument:
        input:
            scores="build/scores.tsv",
            passages="build/passages.tsv",
            codebook=PLAN.codebook,
            coded=PLAN.coded,
            code=code("instrument"),
        output:
            "build/instrument.tsv",
        log:
            "build/logs/instrument.log",
        conda:
            "../envs/framing.yaml"
        params:
            instruments=PLAN.instruments,
            combinations=PLAN.config["combinations"],
            versions=PLAN.versions,
        message:
            "Taking the codes of {params.instruments} for what coded passages correct"
        script:
            "../scripts/instrument.py"


if PLAN.encoder:

    rule embed:
        input:
            "build/passages.tsv",
            corpus=PLAN.corpus,
            codebook=PLAN.codebook,
            texts=PLAN.texts,
            encoder=PLAN.encoder,
            code=code("embed"),
        output:
            PLAN.embeddings,
        log:
            "build/logs/embed.log",
        conda:
            "../envs/framing.yaml"
        params:
            config=PLAN.settings("corpus", "groups"),
            encoder=PLAN.config["classifier"]["encoder"],
            versions=PLAN.versions | PLAN.encoder_versions,
        # First of the jobs that are ready: it is the one that may lack texts.
        priority: 1
        message:
            "Embedding every passage with the configured encoder"
        script:
            "../scripts/embed.py"
