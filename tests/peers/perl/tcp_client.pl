# The textbook TCP client.
use strict;
use warnings;
use IO::Socket::INET;

my $server = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1], Proto => 'tcp') or die "connect: $!\n";
my $sentence = <STDIN>;
print $server $sentence;
shutdown($server, 1) unless $sentence =~ /\n$/;
my $modified = <$server> // '';
$modified =~ s/[\r\n\0]+$//;
print "FROM SERVER: $modified\n";
close $server;
