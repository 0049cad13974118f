# SPDX-License-Identifier: MIT
#
# Work for the Perl test: hashes of arrays, sorting, regular expressions, strings
# that grow, and forks; prints digests that are the same in every run.

use strict;
use warnings;
use Digest::MD5 qw(md5_hex);

my $state = 12345;

sub rnd
{
	$state = ($state * 1103515245 + 12345) % 2147483648;
	return int($state / 65536) % $_[0];
}

my (%index, @words);
for my $i (1 .. 40000) {
	my $word = ('a' .. 'z')[rnd(26)] x (1 + rnd(30)) . rnd(5000);
	push @words, $word;
	push @{$index{$word}}, $i;
	delete $index{$words[rnd($i)]} if $i % 3 == 0;
}
print 'hash ', scalar(keys %index), ' ', md5_hex(join ',', sort keys %index), "\n";

my @sorted = sort { length($a) <=> length($b) or $a cmp $b } @words;
print 'sort ', md5_hex(join ',', @sorted), "\n";

my $text = join ' ', @words;
my $count = () = $text =~ /\b([a-m])\1{3,}(\d+)\b/g;
(my $swapped = $text) =~ s/([a-z]+)(\d+)/$2$1/g;
print "regex $count ", md5_hex($swapped), "\n";

my %fields;
$fields{$1} .= "$2;" while $text =~ /([n-z])\1*(\d+)/g;
print 'growth ', md5_hex(join '|', map { "$_=$fields{$_}" } sort keys %fields), "\n";

my @rings;
for my $i (1 .. 30000) {
	my $node = {id => $i, data => 'x' x rnd(400)};
	$node->{self} = $node;
	push @rings, $node;
	if (@rings > 500) {
		my $old = splice @rings, rnd(500), 1;
		delete $old->{self};
	}
}
print 'rings ', scalar(@rings), ' ', md5_hex(join ',', map { $_->{id} } @rings), "\n";

for my $i (1 .. 30) {
	my $pid = open(my $child, '-|') // die "fork: $!";
	if (!$pid) {
		my @copy = map { $_ . $i } @sorted[0 .. 2000];
		print md5_hex(join ',', reverse @copy);
		exit 0;
	}
	print "fork $i ", scalar(<$child>), "\n";
	close $child or die "child $i: $?";
}
