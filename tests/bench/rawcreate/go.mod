module rawcreate

go 1.21
