# From the corpus directory to tidy tables.
#
# needs: config/config.yaml, corpus/*.tsv, corpus/codings/, corpus/codebook/codebook.yaml,
#        corpus/derived/*.json, and the texts themselves where they are at hand
# makes: build/passages.tsv  the frame: a row a passage, with group, period and design
#        build/codings.tsv   every coder's codes, long
#        build/labels.tsv    the coders combined: passage_id code label coders share
#        build/codes.tsv, build/coders.tsv, build/votes.tsv, build/exemplars.tsv
#        build/words.tsv     passage_id word count      (exemplars too, under ids of their own)
#        build/hits.tsv      passage_id cue hits
#        corpus/codebook/codebook.md   the codebook as a page


rule check:
    input:
        corpus=PLAN.corpus,
        codebook=PLAN.codebook,
        codings=PLAN.codings,
        code=stages.code("check"),
    output:
        passages="build/passages.tsv",
        codings="build/codings.tsv",
        labels="build/labels.tsv",
        codes="build/codes.tsv",
        coders="build/coders.tsv",
        votes="build/votes.tsv",
    log:
        "build/logs/check.log",
    conda:
        "../envs/framing.yaml"
    params:
        config=PLAN.settings("groups", "periods", "undated", "coders", "combinations"),
        versions=PLAN.versions,
    message:
        "Checking configuration, codebook, corpus, sample and codings"
    script:
        "../scripts/check.py"


rule derived_facts:
    input:
        "build/passages.tsv",
        corpus=PLAN.corpus,
        codebook=PLAN.codebook,
        derived=PLAN.derived,
        texts=PLAN.texts,
        code=stages.code("derived_facts"),
    output:
        words="build/words.tsv",
        hits="build/hits.tsv",
        exemplars="build/exemplars.tsv",
    log:
        "build/logs/derived_facts.log",
    conda:
        "../envs/framing.yaml"
    params:
        config=PLAN.settings("corpus", "groups"),
        versions=PLAN.versions,
    message:
        "Reading derived facts, and checking them against the texts at hand"
    script:
        "../scripts/derived_facts.py"


rule codebook_page:
    input:
        "build/hits.tsv",
        codebook=PLAN.codebook,
        code=stages.code("codebook_page"),
    output:
        "corpus/codebook/codebook.md",
    log:
        "build/logs/codebook_page.log",
    conda:
        "../envs/framing.yaml"
    message:
        "Rendering the codebook as a page"
    script:
        "../scripts/codebook_page.py"
