# From codings and scores to result tables: a job for tables that are made from the same files.
#
# needs: what workflow/framing/tables/inputs.py lists of corpus/, build/ and results/models/
# makes: results/tables/*.csv, each as workflow/report/tables/*.yaml says
#        build/sampled/T*.csv   tables on sampled sources, but for a word on all others
#
# A new table is a function and its file in workflow/report/tables/; nothing here knows of it.


for job, about in JOBS.items():

    rule:
        name:
            job
        input:
            **MADE.job_inputs(job, PLAN.codes),
            code=job_code(job),
            captions=MADE.job_words(job),
        output:
            MADE.job_outputs(job),
        log:
            f"build/logs/{job}.log",
        conda:
            "../envs/framing.yaml"
        params:
            job=job,
            caveat=PLAN.caveat,
            config=PLAN.settings(*MADE.settings_of(job)),
            codes=PLAN.codes,
            traits=MADE.traits,
            versions=PLAN.versions,
        priority: about.priority
        message:
            about.message
        script:
            "../scripts/make_tables.py"
