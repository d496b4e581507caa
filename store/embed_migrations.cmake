# SPDX-License-Identifier: MIT
# cmake -DOUTPUT=FILE.c "-DMIGRATIONS=A.sql;B.sql" -P embed_migrations.cmake
# Writes a C file with the table MIGRATIONS of store/migrate.h: version, name, SHA-256 of the file, and a script that runs
# the file and records it in schema_migrations, so that both happen in one transaction.
list(SORT MIGRATIONS)
set(arrays "")
set(rows "")
set(count 0)
foreach(file ${MIGRATIONS})
  get_filename_component(base ${file} NAME_WE)
  if(NOT base MATCHES "^([0-9][0-9][0-9][0-9])_([a-z0-9_]+)$")
    message(FATAL_ERROR "${file}: a migration is called NNNN_name.sql")
  endif()
  set(number ${CMAKE_MATCH_1})
  set(name ${CMAKE_MATCH_2})
  string(REGEX REPLACE "^0+" "" version ${number})
  file(SHA256 ${file} checksum)
  file(READ ${file} hex HEX)
  set(record "\nINSERT INTO schema_migrations (version, name, checksum) VALUES (${version}, '${name}', '${checksum}');\n")
  string(HEX "${record}" record_hex)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}${record_hex}")
  string(APPEND arrays "static const unsigned char script_${version}[] = {${bytes}0};\n")
  string(APPEND rows "    {${version}, \"${name}\", \"${checksum}\", (const char *)script_${version}},\n")
  math(EXPR count "${count} + 1")
endforeach()
file(WRITE ${OUTPUT}.new "/* Generated from store/migrations by store/embed_migrations.cmake. */\n"
     "#include \"store/migrate.h\"\n\n${arrays}\nconst struct migration MIGRATIONS[] = {\n${rows}};\n"
     "const size_t MIGRATIONS_N = ${count};\n")
file(RENAME ${OUTPUT}.new ${OUTPUT})
