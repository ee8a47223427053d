# From tables to what people read, and the manifest of it.
#
# needs: all of the above, and published/ where results have been published (`framing publish`)
# makes: every table as .tex, .html and .md, results/tables.xlsx, results/figures/*.{svg,pdf,png}
#        results/report.html, results/explorer.html, results/provenance.json, results/changes.md
#        results/manifest.tsv, build/headline.txt
#        build/captions/   what Snakemake's own report says of each of them


# For `snakemake --report`, which this and the captions beside it are read for.
report: os.path.abspath(CAPTIONS / f"{PROJECT}.rst")


for part, names in MADE.plates.items():

    rule:
        name:
            f"draw_{part}"
        input:
            tables=[f"results/tables/{MADE.figures[name]}.csv" for name in names],
            codes="build/codes.tsv",
            code=code("draw", *MADE.drawn_by(names)),
            captions=results.words(*(MADE.figures[name] for name in names)),
        output:
            [shown(f"results/figures/{name}.svg", "Figures") for name in names],
            expand("results/figures/{figure}.{form}", figure=names, form=results.FIGURE_FORMS[1:]),
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
        tables=expand("results/tables/{table}.csv", table=MADE.tables),
        sources="corpus/sources.tsv",
        passages="build/passages.tsv",
        codes="build/codes.tsv",
        coders="build/coders.tsv",
        provenance="results/provenance.json",
        code=code("tables"),
        captions=results.words(),
        templates=results.templates(results.TEMPLATES),
    output:
        [shown(f"results/tables/{table}.html", "Tables") for table in MADE.tables],
        expand("results/tables/{table}.{form}", table=MADE.tables, form=["tex", "md"]),
        workbook=shown("results/tables.xlsx", "Tables"),
    log:
        "build/logs/tables.log",
    conda:
        "../envs/framing.yaml"
    params:
        caveat=PLAN.caveat,
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
        tables=expand("results/tables/{table}.csv", table=MADE.tables),
        figures=expand("results/figures/{figure}.svg", figure=MADE.figures),
        sources="corpus/sources.tsv",
        passages="build/passages.tsv",
        codes="build/codes.tsv",
        coders="build/coders.tsv",
        codebook=PLAN.codebook,
        provenance="results/provenance.json",
        code=code("report"),
        captions=results.words(),
        templates=results.templates(results.TEMPLATES),
    output:
        report=shown("results/report.html", "Pages"),
        headline="build/headline.txt",
        captions=directory(CAPTIONS),
    log:
        "build/logs/report.log",
    conda:
        "../envs/framing.yaml"
    params:
        caveat=PLAN.caveat,
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
        hits=PLAN.hits(),
        votes="build/votes.tsv",
        codes="build/codes.tsv",
        coders="build/coders.tsv",
        codebook=PLAN.codebook,
        provenance="results/provenance.json",
        code=code("explorer"),
        captions=results.words(),
        templates=results.templates(results.EXPLORER),
    output:
        shown("results/explorer.html", "Pages"),
    log:
        "build/logs/explorer.log",
    conda:
        "../envs/framing.yaml"
    params:
        caveat=PLAN.caveat,
        held_out=PLAN.held_out,
        config=PLAN.config,
        versions=PLAN.versions,
    message:
        "Writing the passage explorer"
    script:
        "../scripts/explorer.py"


rule provenance:
    input:
        PLAN.words(),
        corpus=PLAN.corpus,
        derived=PLAN.derived,
        codebook=PLAN.codebook,
        codings=PLAN.codings,
        encoder=PLAN.encoder,
        models=expand("results/models/{code}.json", code=PLAN.codes),
        code=code("provenance"),
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
        code=software(),
    message:
        "Recording what the results are made from"
    script:
        "../scripts/provenance.py"


rule changes:
    input:
        tables=expand("results/tables/{table}.csv", table=MADE.tables),
        provenance="results/provenance.json",
        published=results.published(),
        code=code("changes"),
        captions=results.words(),
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


rule manifest:
    input:
        expand(
            "results/tables/{table}.{form}",
            table=MADE.tables,
            form=["csv", "tex", "html", "md"],
        ),
        "results/tables.xlsx",
        expand(
            "results/figures/{figure}.{form}", figure=MADE.figures, form=results.FIGURE_FORMS
        ),
        expand("results/models/{code}.json", code=PLAN.codes),
        "results/report.html",
        "results/explorer.html",
        "results/provenance.json",
        "results/changes.md",
        code=code("manifest"),
    output:
        "results/manifest.tsv",
    log:
        "build/logs/manifest.log",
    conda:
        "../envs/framing.yaml"
    message:
        "Listing the results with their digests"
    script:
        "../scripts/manifest.py"
