// SPDX-License-Identifier: MIT
/* The configuration as text: what is in effect (--print-config) and what there is (docs/CONFIG.md). Never shows a
 * secret's value. */
#include <string.h>

#include "server/config.h"
#include "server/config_row.h"

static const char *const SOURCE_WORDS[] = {
    [CONFIG_FROM_DEFAULT] = "default",
    [CONFIG_FROM_FILE] = "file",
    [CONFIG_FROM_DOTENV] = "file",
    [CONFIG_FROM_ENVIRONMENT] = "environment",
    [CONFIG_FROM_DEFAULT_CLUSTER] = "default cluster",
};

/* "listen.port" has the section "listen"; "public_url" has none. */
static struct str section_of(const struct config_row *row)
{
    struct str key = str_from(row->key);
    size_t dot = str_find(key, '.', 0);
    return dot < key.n ? str_slice(key, 0, dot) : STR("");
}

static const char *name_in_section(const struct config_row *row)
{
    struct str section = section_of(row);
    return row->key + (section.n > 0 ? section.n + 1 : 0);
}

/* As a double-quoted YAML scalar. */
static void add_quoted(struct buf *out, struct str text)
{
    buf_add_byte(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '"' || c == '\\')
            buf_addf(out, "\\%c", c);
        else if (c < 0x20)
            buf_addf(out, "\\x%02x", c);
        else
            buf_add_byte(out, (char)c);
    }
    buf_add_byte(out, '"');
}

/* config: what row->offset counts from. */
static void print_row(const void *config, const struct config_row *row, const struct config_origin *origin,
                      struct buf *out)
{
    bool is_text = row->type == CONFIG_TEXT;
    struct buf value;
    buf_init(&value, CONFIG_MAX_VALUE_BYTES);
    config_value_format(row, config, &value);
    if (row->type == CONFIG_SECRET) {
        buf_addf(out, "# %s: (%s)", name_in_section(row), value.n > 0 ? "secret, set" : "secret, not set");
    } else {
        buf_addf(out, "%s: ", name_in_section(row));
        if (is_text)
            add_quoted(out, buf_str(&value));
        else
            buf_add_str(out, buf_str(&value));
    }
    buf_addf(out, "  # %s", SOURCE_WORDS[origin->source]);
    if (origin->where != NULL)
        buf_addf(out, " %s", origin->where);
    buf_add_byte(out, '\n');
    buf_fini(&value);
}

static void print_cluster(const struct config_cluster *cluster, struct buf *out)
{
    struct str section = STR("");
    struct config_row own;
    buf_addf(out, "  %s:\n", cluster->name);
    for (size_t i = 0; i < CONFIG_ROWS_N; i++) {
        if (!config_row_of_cluster(&CONFIG_ROWS[i], &own))
            continue;
        if (!str_eq(section_of(&own), section))
            buf_addf(out, "    %.*s:\n", STR_ARG(section_of(&own)));
        section = section_of(&own);
        buf_add_text(out, "      ");
        print_row(cluster, &own, &cluster->private_origins[i], out);
    }
}

void config_print(const struct config *c, struct buf *out)
{
    struct str section = STR("");
    for (size_t i = 0; i < CONFIG_ROWS_N; i++) {
        struct str own = section_of(&CONFIG_ROWS[i]);
        if (!str_eq(own, section)) {
            section = own;
            buf_addf(out, "%.*s:\n", STR_ARG(section));
        }
        if (section.n > 0)
            buf_add_text(out, "  ");
        print_row(c, &CONFIG_ROWS[i], &c->private_origins[i], out);
    }
    if (c->clusters_n > 1)
        buf_add_text(out, "clusters:\n");
    for (size_t i = 1; i < c->clusters_n; i++)
        print_cluster(&c->clusters[i], out);
}

/* ---- docs/CONFIG.md ---- */

static void add_type(const struct config_row *row, struct buf *out)
{
    static const char *const words[] = {
        [CONFIG_TEXT] = "text",  [CONFIG_SECRET] = "secret",     [CONFIG_BOOL] = "true, false",
        [CONFIG_INT] = "number", [CONFIG_DURATION] = "duration", [CONFIG_SIZE] = "size",
        [CONFIG_CHOICE] = "",
    };
    struct str rest = str_from(row->choices);
    struct str choice;
    for (bool is_first = true; str_next(&rest, '|', &choice); is_first = false)
        buf_addf(out, "%s`%.*s`", is_first ? "" : ", ", STR_ARG(choice));
    if (row->choices == NULL)
        buf_add_text(out, words[row->type]);
    if (row->max > 0) {
        buf_add_text(out, ", ");
        config_number_format(row->type, row->min, out);
        buf_add_text(out, " to ");
        config_number_format(row->type, row->max, out);
    }
}

static void add_markdown_row(const struct config_row *row, struct buf *out)
{
    buf_addf(out, "| `%s` | ", row->key);
    add_type(row, out);
    if (row->standard[0] != '\0')
        buf_addf(out, " | `%s` | `", row->standard);
    else
        buf_add_text(out, " | | `");
    config_row_env_name(row, out);
    buf_add_byte(out, '`');
    if (row->alias != NULL)
        buf_addf(out, ", `%s`", row->alias);
    buf_addf(out, " | %s |\n", row->text);
}

static const char MARKDOWN_HEAD[] =
    "# Configuration\n"
    "\n"
    "Written by `fullstackd check-config --markdown` from the table in `server/config_table.c`; do not edit.\n"
    "\n"
    "Sources, later wins: the defaults below, the YAML file named by `--config`, `.env.local` (`NODE_ENV=development`) "
    "or\n"
    "`.env.production` in the working directory, the environment. Each key has a variable of its own; some also have "
    "the\n"
    "original's name, which our own name overrides. In the YAML file a dot is a nested mapping:\n"
    "\n"
    "```yaml\n"
    "public_url: https://studio.example.org\n"
    "listen:\n"
    "  address: 0.0.0.0\n"
    "  trusted_proxies: [10.0.0.0/8]\n"
    "flow:\n"
    "  database_deadline: 10m\n"
    "```\n"
    "\n"
    "A duration is a whole number with `ms`, `s`, `m`, `h` or `d`; a size one with `B`, `KiB`, `MiB` or `GiB`. An "
    "unknown\n"
    "key, a missing unit or a value out of range is an error: all of them are listed with file and line or the "
    "variable's\n"
    "name, the exit status is 2 and nothing is started. `fullstackd check-config FILE` only checks,\n"
    "`fullstackd check-config --print-config` shows what is in effect and where each value came from.\n"
    "\n"
    "Two files are found where the original had them: `.secret/kubeconfig` (or `../.secret/kubeconfig`), and\n"
    "`.secret/.env`, whose variables every container gets.\n";

static const char MARKDOWN_CLUSTERS[] =
    "\n"
    "## clusters\n"
    "\n"
    "`kube` and `sandbox` describe the default cluster. Others are named in the YAML file (not in the environment), "
    "each "
    "with\n"
    "the same keys:\n"
    "\n"
    "```yaml\n"
    "default_cluster: usw\n"
    "clusters:\n"
    "  eu:\n"
    "    kube: {kubeconfig: /etc/fullstackd/eu.kubeconfig, namespace: sandboxes, sandboxes: 500}\n"
    "    sandbox: {domain: eu.example.org, storage_class: fast}\n"
    "```\n"
    "\n"
    "`kube.kubeconfig` and `sandbox.domain` must be given. What else of `sandbox` is not given is as the default "
    "cluster "
    "has it;\n"
    "what is not given of `kube` is as the tables above say. A project names its cluster when it is created and keeps "
    "it. A\n"
    "cluster that does not answer stops no other one, at start neither; one that is taken out of the file while it has "
    "projects\n"
    "leaves them waiting (`CLUSTER_UNREACHABLE`) until it is there again. To rename a cluster, say its old name in\n"
    "`kube.former_names`: projects from before there were names are those of `default`.\n";

void config_print_markdown(struct buf *out)
{
    static const char columns[] = "\n| key | value | default | environment | |\n|---|---|---|---|---|\n";
    struct str section = STR("");
    buf_add_text(out, MARKDOWN_HEAD);
    buf_addf(out, "\n## General\n%s", columns);
    for (size_t i = 0; i < CONFIG_ROWS_N; i++) {
        struct str own = section_of(&CONFIG_ROWS[i]);
        if (!str_eq(own, section))
            buf_addf(out, "\n## %.*s\n%s", STR_ARG(own), columns);
        section = own;
        add_markdown_row(&CONFIG_ROWS[i], out);
    }
    buf_add_text(out, MARKDOWN_CLUSTERS);
}
