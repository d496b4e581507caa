// SPDX-License-Identifier: MIT
/* GET /openapi.json: the description of this API, docs/openapi.json as it was when the program was built. */
#include "handlers/handlers.h"

/* By tools/embed_file.cmake. */
extern const unsigned char OPENAPI_JSON[];
extern const size_t OPENAPI_JSON_N;

void openapi_show(struct http_exchange *x, struct app *app)
{
    (void)app;
    http_add_header(x, "Cache-Control", STR("no-cache"));
    http_answer_document(x, 200, (struct str){(const char *)OPENAPI_JSON, OPENAPI_JSON_N});
}
