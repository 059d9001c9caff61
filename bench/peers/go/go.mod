module doorbell.example/capitalize

go 1.19
