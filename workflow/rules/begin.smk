# The beginning of a project, before there are codings: where it stands, and what is next.
#
# needs: config/config.yaml, corpus/*.tsv (empty ones too), corpus/codebook/codebook.yaml,
#        corpus/derived/*.jsonl, and the texts themselves where they are at hand
# makes: build/first-steps.md, corpus/codebook/codebook.md, and once passages have been drawn
#        build/to-code/passages.md   the passages to be coded, with their prose where it is at hand
#        build/to-code/CODER.tsv     a blank sheet a coder; one that was begun is left as it is


rule begin:
    input:
        corpus=PLAN.corpus,
        codebook=PLAN.codebook,
        codings=PLAN.codings,
        derived=PLAN.derived,
        texts=PLAN.texts,
        code=code("begin"),
    output:
        page=FIRST_STEPS,
        codebook=results.page(),
        reading=PLAN.reading,
        sheets=[update(sheet) for sheet in PLAN.sheets],
    log:
        "build/logs/begin.log",
    conda:
        "../envs/framing.yaml"
    params:
        stage=PLAN.stage,
        config=PLAN.settings("project", "corpus", "groups", "periods", "undated"),
        versions=PLAN.versions,
    message:
        "Looking how far the project has come"
    script:
        "../scripts/begin.py"
