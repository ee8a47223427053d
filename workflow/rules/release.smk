# The package for a repository, made by `snakemake release`: results and all they are made from.
#
# needs: finished results; the extra `release`; the section `release` of config/config.yaml
# makes: dist/replication/  with datapackage.json, ro-crate-metadata.json, SHA256SUMS, README.md
#        dist/replication.zip


rule release:
    input:
        # It lists the digest of every result, so that a change in any of them makes this anew.
        manifest="results/manifest.tsv",
        provenance="results/provenance.json",
        sources="corpus/sources.tsv",
        passages="build/passages.tsv",
        codes="build/codes.tsv",
        coders="build/coders.tsv",
        kept=PLAN.packed,
        code=code("release"),
        captions=results.words(),
        corpus=results.asset("report/corpus.yaml"),
        files=results.asset("report/files.yaml"),
        template=results.asset("report/replication.md.j2"),
    output:
        # Written last: the folder is whole when it is there.
        sums="dist/replication/SHA256SUMS",
        archive="dist/replication.zip",
    log:
        "build/logs/release.log",
    conda:
        "../envs/framing.yaml"
    params:
        config=PLAN.config,
        caveat=PLAN.caveat,
        programs=MADE.programs(workflow.rules),
        versions=PLAN.versions,
    message:
        "Packing results and all they are made from"
    script:
        "../scripts/release.py"
