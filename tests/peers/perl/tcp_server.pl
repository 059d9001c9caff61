# The textbook TCP server: answers every line of a client until it ends, one client at a time.
use strict;
use warnings;
use IO::Socket::INET;

my $welcome = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], Proto => 'tcp', Listen => 5, ReuseAddr => 1)
    or die "bind: $!\n";
$| = 1;
print "READY ", $welcome->sockport, "\n";
while (my $client = $welcome->accept) {
    $client->autoflush(1);
    while (my $line = <$client>) {
        print $client uc $line;
    }
    close $client;
}
