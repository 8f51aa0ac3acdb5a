module example.com/application

go 1.19

require github.com/org/gohub/v2 v2.0.3

require git.example.com/org/golib.git v1.1.0 // indirect
