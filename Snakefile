"""The entry that people know: `snakemake` makes everything in results/ (workflow/Snakefile)."""


include: "workflow/Snakefile"


# What is included brings its rules, but none of them as the one to begin with.
rule default:
    default_target: True
    input:
        rules.all.input,
