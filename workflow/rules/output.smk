# From tables to what people read, and the seal on it.
#
# needs: all of the above, and published/ where results have been published (`framing publish`)
# makes: results/tables/T1-corpus.csv T3-classifier.csv T7-essay.csv T8-cues.csv T10-regression.csv
#        T12-keyness.csv
#        every table as .tex, .html and .md, results/tables.xlsx, results/figures/*.{svg,pdf,png}
#        results/report.html, results/explorer.html, results/provenance.json, results/changes.md
#        results/manifest.tsv, build/headline.txt
#        build/captions/   what Snakemake's own report says of each of them


# For `snakemake --report`, which this and the captions beside it are read for.
report: os.path.abspath(CAPTIONS / f"{PROJECT}.rst")


rule describe:
    input:
        sources="corpus/sources.tsv",
        passages="build/passages.tsv",
        codings="build/codings.tsv",
        scores="build/scores.tsv",
        hits=expand("build/{part}/hits.tsv", part=stages.PARTS),
        words=expand("build/{part}/words.tsv", part=stages.PARTS),
        codes="build/codes.tsv",
        votes="build/votes.tsv",
        models=expand("results/models/{code}.json", code=PLAN.codes),
        classifier="build/sampled/T3-classifier.csv",
        regression="build/sampled/T10-regression.csv",
        code=stages.code("describe"),
        captions=stages.asset("report/tables.yaml"),
    output:
        corpus="results/tables/T1-corpus.csv",
        essay="results/tables/T7-essay.csv",
        cues="results/tables/T8-cues.csv",
        keyness="results/tables/T12-keyness.csv",
        classifier="results/tables/T3-classifier.csv",
        regression="results/tables/T10-regression.csv",
    log:
        "build/logs/describe.log",
    conda:
        "../envs/framing.yaml"
    params:
        mark=PLAN.mark,
        config=PLAN.settings(
            "groups", "periods", "undated", "case_study", "combinations", "evaluation",
            "inference", "keyness"
        ),
        codes=PLAN.codes,
        versions=PLAN.versions,
    # Figures wait for it.
    priority: 3
    message:
        "Describing corpus, case study, cues and words, and what lies outside the sampled frame"
    script:
        "../scripts/describe.py"


for part, names in stages.PLATES.items():

    rule:
        name:
            f"draw_{part}"
        input:
            tables=[f"results/tables/{stages.FIGURES[name]}.csv" for name in names],
            codes="build/codes.tsv",
            code=stages.code("draw"),
            captions=stages.asset("report/tables.yaml"),
        output:
            [shown(f"results/figures/{name}.svg", "Figures") for name in names],
            expand("results/figures/{figure}.{form}", figure=names, form=stages.FIGURE_FORMS[1:]),
        log:
            f"build/logs/draw-{part}.log",
        conda:
            "../envs/framing.yaml"
        params:
            figures=list(names),
            confirmed=PLAN.confirmed,
            config=PLAN.settings(
                "groups", "periods", "undated", "contrasts", "agreement", "inference"
            ),
            versions=PLAN.versions,
        # The report waits for them.
        priority: 2
        message:
            f"Drawing figures: {', '.join(names)}"
        script:
            "../scripts/draw.py"


rule tables:
    input:
        tables=expand("results/tables/{table}.csv", table=stages.TABLES),
        sources="corpus/sources.tsv",
        passages="build/passages.tsv",
        codes="build/codes.tsv",
        coders="build/coders.tsv",
        provenance="results/provenance.json",
        code=stages.code("tables"),
        captions=stages.asset("report/tables.yaml"),
        templates=[stages.asset(f"report/{name}") for name in stages.TEMPLATES],
    output:
        [shown(f"results/tables/{table}.html", "Tables") for table in stages.TABLES],
        expand("results/tables/{table}.{form}", table=stages.TABLES, form=["tex", "md"]),
        workbook=shown("results/tables.xlsx", "Tables"),
    log:
        "build/logs/tables.log",
    conda:
        "../envs/framing.yaml"
    params:
        mark=PLAN.mark,
        config=PLAN.config,
        versions=PLAN.versions,
    # The longest of the last jobs.
    priority: 1
    message:
        "Writing tables for reading, and the workbook"
    script:
        "../scripts/tables.py"


rule report:
    input:
        tables=expand("results/tables/{table}.csv", table=stages.TABLES),
        figures=expand("results/figures/{figure}.svg", figure=stages.FIGURES),
        sources="corpus/sources.tsv",
        passages="build/passages.tsv",
        codes="build/codes.tsv",
        coders="build/coders.tsv",
        codebook=PLAN.codebook,
        provenance="results/provenance.json",
        code=stages.code("report"),
        captions=stages.asset("report/tables.yaml"),
        templates=[stages.asset(f"report/{name}") for name in stages.TEMPLATES],
    output:
        report=shown("results/report.html", "Pages"),
        headline="build/headline.txt",
        captions=directory(CAPTIONS),
    log:
        "build/logs/report.log",
    conda:
        "../envs/framing.yaml"
    params:
        mark=PLAN.mark,
        reading=PLAN.looked,
        config=PLAN.config,
        versions=PLAN.versions,
    priority: 1
    message:
        "Writing the report"
    script:
        "../scripts/report.py"


rule explorer:
    input:
        sources="corpus/sources.tsv",
        passages="build/passages.tsv",
        codings="build/codings.tsv",
        scores="build/scores.tsv",
        hits=expand("build/{part}/hits.tsv", part=stages.PARTS),
        votes="build/votes.tsv",
        codes="build/codes.tsv",
        coders="build/coders.tsv",
        codebook=PLAN.codebook,
        provenance="results/provenance.json",
        code=stages.code("explorer"),
        captions=stages.asset("report/tables.yaml"),
        templates=[stages.asset(f"report/{name}") for name in stages.EXPLORER],
    output:
        shown("results/explorer.html", "Pages"),
    log:
        "build/logs/explorer.log",
    conda:
        "../envs/framing.yaml"
    params:
        mark=PLAN.mark,
        held_out=PLAN.held_out,
        config=PLAN.config,
        versions=PLAN.versions,
    message:
        "Writing the passage explorer"
    script:
        "../scripts/explorer.py"


rule provenance:
    input:
        expand("build/{part}/words.tsv", part=stages.PARTS),
        corpus=PLAN.corpus,
        derived=PLAN.derived,
        codebook=PLAN.codebook,
        codings=PLAN.codings,
        encoder=PLAN.encoder,
        models=expand("results/models/{code}.json", code=PLAN.codes),
        code=stages.code("provenance"),
    output:
        "results/provenance.json",
    log:
        "build/logs/provenance.log",
    conda:
        "../envs/framing.yaml"
    params:
        config=PLAN.config,
        looked=PLAN.looked,
        versions=PLAN.versions | PLAN.encoder_versions,
        code=stages.software(),
    message:
        "Recording what the results are made from"
    script:
        "../scripts/provenance.py"


rule changes:
    input:
        tables=expand("results/tables/{table}.csv", table=stages.TABLES),
        provenance="results/provenance.json",
        published=stages.published(),
        code=stages.code("changes"),
        captions=stages.asset("report/tables.yaml"),
    output:
        shown("results/changes.md", "Pages"),
    log:
        "build/logs/changes.log",
    conda:
        "../envs/framing.yaml"
    params:
        listed=PLAN.config["report"]["changes_listed"],
    message:
        "Comparing with the published results"
    script:
        "../scripts/changes.py"


rule seal:
    input:
        expand(
            "results/tables/{table}.{form}",
            table=stages.TABLES,
            form=["csv", "tex", "html", "md"],
        ),
        "results/tables.xlsx",
        expand(
            "results/figures/{figure}.{form}", figure=stages.FIGURES, form=stages.FIGURE_FORMS
        ),
        expand("results/models/{code}.json", code=PLAN.codes),
        "results/report.html",
        "results/explorer.html",
        "results/provenance.json",
        "results/changes.md",
        code=stages.code("seal"),
    output:
        "results/manifest.tsv",
    log:
        "build/logs/seal.log",
    conda:
        "../envs/framing.yaml"
    message:
        "Sealing the results with a manifest"
    script:
        "../scripts/seal.py"
