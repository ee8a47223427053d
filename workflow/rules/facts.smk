# From the corpus directory to tidy tables.
#
# needs: config/config.yaml, corpus/*.tsv, corpus/codings/, corpus/codebook/codebook.yaml,
#        corpus/derived/*.jsonl, and the texts themselves where they are at hand
# makes: build/passages.tsv  the frame: a row a passage, with group, period and design
#        build/sampled/passages.tsv   its rows of sampled sources
#        build/codes.tsv, build/coders.tsv
#        build/codings.tsv   every coder's codes, long
#        build/labels.tsv    the coders combined: passage_id code label coders share
#        build/votes.tsv, build/patterns.tsv, build/rules.tsv, build/exemplars.tsv   what the codebook
#                                   says of cues, which patterns they have, the words of its rules,
#                                   and what it teaches
#        build/facts/sampled/N.npz  words of passages of sampled sources, as arrays
#        build/facts/sampled/N.tsv  their hits: passage_id cue pattern hits
#        build/facts/further/       the same of all other sources
#        build/facts/taught.npz, build/facts/taught.tsv   the same of exemplars, which have ids of
#                                   their own
#        build/formulas.checked     once the formulas of regressions are right
#        corpus/codebook/codebook.md   the codebook as a page
#
# Codings, and all that is learned from them, rest on sampled sources: those from which a draw could
# have taken passages. What depends on these alone is read from tables of their own, so that a source
# that joins the corpus reruns none of it. Snakemake looks at whole files: for the rows of sampled
# sources in corpus/*.tsv stands their digest, which the plan notes down. So it does for facts and
# texts of the sources of a part (workflow/framing/project/parts.py): a large corpus is read in
# parts, a job each, that can be made anew one by one and on several machines.


rule check:
    input:
        corpus=PLAN.corpus,
        codebook=PLAN.codebook,
        codings=PLAN.codings,
        # Made by what has tried the codebook's cues, which takes long.
        tried="build/codes.tsv",
        code=code("check"),
    output:
        "build/passages.tsv",
    log:
        "build/logs/check.log",
    conda:
        "../envs/framing.yaml"
    params:
        config=PLAN.settings("corpus", "groups", "periods", "undated"),
        states=PLAN.states,
        versions=PLAN.versions,
    # What reads the project goes first: it is what may find something wrong with it.
    priority: 4
    message:
        "Checking configuration, codebook, corpus, sample and codings"
    script:
        "../scripts/check.py"


rule sampled:
    input:
        rows=plan.SAMPLED,
        codebook=PLAN.codebook,
        codings=PLAN.codings,
        code=code("sampled"),
    output:
        passages="build/sampled/passages.tsv",
        codes="build/codes.tsv",
        coders="build/coders.tsv",
        codings="build/codings.tsv",
        labels="build/labels.tsv",
    log:
        "build/logs/sampled.log",
    conda:
        "../envs/framing.yaml"
    params:
        config=PLAN.settings("groups", "periods", "undated", "coders", "combinations"),
        states=PLAN.states,
        versions=PLAN.versions,
    priority: 4
    message:
        "Combining the coders' codes"
    script:
        "../scripts/sampled.py"


# Before the classifiers are trained, and only where sampled sources or the configuration change.
rule formulas:
    input:
        rows=plan.SAMPLED,
        code=code("formulas"),
    output:
        touch("build/formulas.checked"),
    log:
        "build/logs/formulas.log",
    conda:
        "../envs/framing.yaml"
    params:
        config=PLAN.settings("groups", "periods", "undated", "regression"),
        states=PLAN.states,
        versions=PLAN.versions,
    priority: 4
    message:
        "Checking the formulas of regressions"
    script:
        "../scripts/formulas.py"


rule facts:
    input:
        note="build/facts/{part}.sources",
        codebook=PLAN.codebook,
        # Where tables are not right the job that says so goes first, and this one never begins.
        checked=PLAN.doubtful,
        code=code("facts"),
    output:
        words="build/facts/{part}.npz",
        hits="build/facts/{part}.tsv",
    log:
        "build/logs/facts/{part}.log",
    conda:
        "../envs/framing.yaml"
    params:
        config=PLAN.settings("corpus", "groups"),
        versions=PLAN.versions,
    wildcard_constraints:
        part="(sampled|further)/[0-9]+",
    priority: 4
    message:
        "Reading derived facts, and checking them against the texts at hand: {wildcards.part}"
    script:
        "../scripts/facts.py"


rule taught:
    input:
        checked=PLAN.doubtful,
        codebook=PLAN.codebook,
        code=code("taught"),
    output:
        words="build/facts/taught.npz",
        hits="build/facts/taught.tsv",
        votes="build/votes.tsv",
        patterns="build/patterns.tsv",
        rules="build/rules.tsv",
        exemplars="build/exemplars.tsv",
    log:
        "build/logs/taught.log",
    conda:
        "../envs/framing.yaml"
    params:
        versions=PLAN.versions,
    priority: 4
    message:
        "Reading what the codebook teaches"
    script:
        "../scripts/taught.py"


rule codebook_page:
    input:
        "build/facts/taught.tsv",
        codebook=PLAN.codebook,
        code=code("codebook_page"),
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
