-- SPDX-License-Identifier: MIT
-- What the audit tells of a request beside what migration 1 foresaw. `action` is method and route pattern.

ALTER TABLE audit
    ADD COLUMN status integer, -- of the answer; NULL: the client left before there was one
    ADD COLUMN credential text; -- session, token or none
