#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The list of projects as a client reads it: whole, in pages, narrowed, and not again when it is the same. Runs inside
with_services.py."""
import json
import urllib.parse

from world import StackCase, World, main

MANY = 2500


class Lists(StackCase):
    def test_pages_lead_through_all_of_them(self):
        with World() as world:
            client = world.sign_in()
            user = client.json("GET", "/api/auth/session")["user"]["id"]
            world.sql(f"INSERT INTO projects (id, owner_id, name, updated_at) SELECT 'p-' || i, '{user}', 'shop ' || i, "
                      f"now() - i * interval '1 second' FROM generate_series(1, {MANY}) i")
            pages = list(client.pages("/api/projects"))
            self.assertEqual([len(page) for page in pages], [1000, 1000, MANY - 2000])
            self.assertEqual([p["id"] for page in pages for p in page], [f"p-{i}" for i in range(1, MANY + 1)])
            found = list(client.pages("/api/projects?limit=4&keyword=" + urllib.parse.quote("SHOP 123")))
            self.assertEqual([[p["name"] for p in page] for page in found],
                             [["shop 123", "shop 1230", "shop 1231", "shop 1232"], ["shop 1233", "shop 1234", "shop 1235", "shop 1236"],
                              ["shop 1237", "shop 1238", "shop 1239"]])
            self.assertEqual(list(client.pages("/api/projects?createdTo=2020-01-01")), [[]])
            today = len(next(client.pages("/api/projects?createdFrom=2020-01-01&limit=7")))
            self.assertEqual(today, 7)

    def test_who_has_it_already_gets_it_not_again(self):
        with World() as world:
            client = world.sign_in()
            project = client.json("POST", "/api/projects", {"name": "one"}, 200)["id"]
            for path in ("/api/projects", f"/api/projects/{project}", f"/api/sandbox/{project}"):
                status, headers, body = client.request("GET", path)
                self.assertEqual(status, 200)
                etag = headers["ETag"]
                for known in (etag, "W/" + etag, f'"other", {etag}', "*"):
                    status, again, nothing = client.request("GET", path, headers={"If-None-Match": known})
                    self.assertEqual((status, nothing, again["ETag"]), (304, b"", etag), path)
                self.assertEqual(client.request("GET", path, headers={"If-None-Match": '"other"'})[::2], (200, body))
            _, before, _ = client.request("GET", "/api/projects")
            client.json("POST", "/api/projects", {"name": "two"}, 200)
            status, after, body = client.request("GET", "/api/projects", headers={"If-None-Match": before["ETag"]})
            self.assertEqual((status, len(json.loads(body))), (200, 2))
            self.assertNotEqual(after["ETag"], before["ETag"])

    def test_what_cannot_be_asked_for_names_the_parameter(self):
        with World() as world:
            client = world.sign_in()
            for query in ("limit=0", "limit=1001", "limit=ten", "limit=-1", "cursor=x", "cursor=0.a", "cursor=1.", "cursor=1.a'b",
                          "cursor=99999999999999999999.a", "createdFrom=yesterday", "createdTo=2026-13-01", "createdTo=2026-01-01T00:00",
                          "keyword=" + "k" * 257):
                status, _, body = client.request("GET", "/api/projects?" + query)
                self.assertEqual(status, 400, (query, body))
                self.assertIn(query.split("=")[0], json.dumps(json.loads(body)["errors"]), query)
            self.assertEqual(client.request("GET", "/api/projects?keyword=%ff")[0], 400)
            self.assertEqual(client.json("GET", "/api/projects?keyword=&createdFrom=&limit=1000&unknown=1"), [])


if __name__ == "__main__":
    main()
