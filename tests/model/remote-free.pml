/* SPDX-License-Identifier: MIT
 *
 * Remote frees, visits, adoption and the slot lock: the protocol of the slab allocator as a
 * model for spin, one cache.  run.sh beside this file runs it; by hand:
 *
 *	spin -a -DNT=2 -DNF=1 remote-free.pml
 *	gcc -O2 -DSAFETY -DCOLLAPSE -DVECTORSZ=2048 -o pan pan.c && ./pan -m3000000 -n
 *
 * A slot is LIVE or DEAD and has a lock.  For the slabs whose owner is that slot, who holds
 * the lock alone touches bitmap, debt and lists, exchanges pending and the remote words,
 * stores owner, releases.
 *  - The live thread takes its own lock once per miss, or does without: then it frees to its
 *    own slabs, too, by the remote path.  Whether a slab is its own it may test before.
 *  - Any thread may trylock any other slot, with or without its own lock (a "visit"): to
 *    empty the inbox and release slabs; to adopt slabs only if it finds the slot DEAD when
 *    it has the lock, and has its own lock as well.
 *  - A birth takes a slot from DEAD to LIVE under the lock.  An end stores DEAD, under the
 *    lock or without it (after the thread's last use of the slot): LIVE to DEAD is the one
 *    change that a visitor may see during its visit.
 *  - A handler, and a thread without a slot, frees by the remote path without any lock.
 *
 * A step = one access to a shared atomic (plus ghost updates and local work).
 * Merged into a neighbouring step only where this cannot change what others see:
 *  - data of who holds the owner's lock (loc, debt, lists): checked by RIGHTS(); the
 *    variations that break this rule take load and store apart (SPLIT)
 *  - link read and owner test (the token is held, so the link is stable; checked)
 *  - read of the inbox head + link write + CAS (V_FINEPUSH splits them)
 * Sheaves: an object that is in no bitmap and not on its way to one is "user", be it with
 * the program or in any sheaf; any thread may flush any subset of one slab's user objects.
 *
 * Sizes: NT threads with slots (NT<=3), NF slotless freers, NSLOT slots, NSLAB slabs,
 *	  NOBJ objects each (word 0 = object 0, word 1 = the rest), CAP largest batch,
 *	  M1 slot of the second thread (15: none yet; 0: it shares the slot of the first)
 *
 * Complete searches without error, in million states (A = OP_EXIT, OP_BIRTH, OP_VISIT;
 * NT=2, NF=0, one slab of two objects where nothing else is said):
 *	A 0.4; A NF=1 7.3; A HANDLER 4.0; A HANDLER OP_HELDOPS 5.9; A HANDLER OP_FORK 14.6;
 *	A NOBJ=3 3.0; A NT=1 NSLAB=2 HANDLER 4.6; A V_FINEPUSH 0.9; A OP_WORDS 0.6;
 *	A V_OWNERFIRST 1.9; OP_VISIT HANDLER NF=1 7.1; OP_VISIT NSLAB=2 8.9;
 *	OP_VISIT NT=3 NSLOT=3 3.0; OP_VISIT M1=0 NF=1 0.4.  Up to 1 GB and two minutes each.
 * Begun only, no error in 20 to 40 million states: NT=2 NSLAB=2 with OP_EXIT, or with A;
 *	A NT=1 NF=1 NSLAB=2 HANDLER; A NT=3.
 *
 * Parts:	OP_EXIT OP_BIRTH OP_VISIT	ends, births, visits of LIVE and DEAD slots
 *		HANDLER		thread 0 is interrupted at any step, its handler frees
 *		OP_HELDOPS	allocations and frees during a visit, in the visited slot too
 *		OP_WORDS	the owner takes remote words of a slab that is in no inbox
 *		OP_FORK		thread 0 forks (with HANDLER: its handler does, at any step);
 *				the child puts all slabs in order once none of its own
 *				operations is under way; no lock is needed before the fork
 * Right too:	V_FINEPUSH (see above), V_ONEWORD (slabs of one remote word),
 *		V_OWNERFIRST (an old owner is read before the push: only a detour)
 *
 * Variations that must fail (one trace in words each):
 *  V_LIVEDRAIN	inbox of a LIVE slot emptied without its lock: slab released, or bits lost,
 *		between the owner's load and store of the bitmap
 *  V_ADOPTLIVE	slabs adopted from a LIVE slot whose thread does not take its lock: the
 *		owner changes between load and store of the bitmap
 *  V_ADOPTLIVELOCKED the same, its thread takes the lock: it had tested "mine" before
 *  V_STALEBIRTH	DEAD not tested again under the lock: two threads in one slot, one ends,
 *		the other's slabs are adopted between its "mine" and its lock
 *  V_NOHOLD	a DEAD slot visited without its lock
 *  V_OWNISHELD	E2 asks "is it my slot's" where it must ask "do I hold its lock"
 *  V_FORKEARLY	the child puts the slabs in order as soon as its slot is not locked, under
 *		an interrupted remote free: the slab is pushed with pending = 0
 *  V_WORDSFIRST	words exchanged before pending	V_LINKLATE   link read after that exchange
 *  V_LINKAFTER	link written after the CAS	V_NOTOKEN    pending taken without the token
 *  V_NODEBT V_PENDLOAD V_BATCH	debt left out, or announcements counted in batches
 *  V_ANNOUNCEFIRST	announced before the OR	V_NOPASS     collected though not the holder
 *  V_REANNOUNCE	passed on with pending exchanged	V_NULL, V_NULLCOLLECT  owner = none at the end
 */
#ifndef NT
#define NT 2
#endif
#ifndef NF
#define NF 1
#endif
#ifndef NSLOT
#define NSLOT 2
#endif
#ifndef NSLAB
#define NSLAB 1
#endif
#ifndef NOBJ
#define NOBJ 2
#endif
#ifndef CAP
#define CAP NOBJ
#endif
#define NONE  15
#ifndef M1
#define M1 1
#endif
#ifndef M2
#define M2 NONE
#endif
#define ALL   ((1<<NOBJ)-1)
#ifdef V_ONEWORD
#define W0    ALL
#define W1    0
#else
#define W0    1
#define W1    (ALL & ~1)
#endif
#define NIL   15
#define PAGES 14		/* owner[] of a slab that is with the page allocator */
#define DEAD  0
#define LIVE  1
#define CNT(m) (((m)&1)+(((m)>>1)&1)+(((m)>>2)&1))

#ifdef HANDLER
#define RUN0 provided (sig==0)
#else
#define RUN0
#endif
#ifdef OP_FORK
#define RUNX provided (forked==0)	/* the child has only the thread that forked */
#else
#define RUNX
#endif
#if defined(V_NOHOLD) || defined(V_LIVEDRAIN)
#define NOLOCKVISIT
#define NL nl		/* hx is visited without its lock */
#else
#define NL 0
#endif
#if defined(V_LIVEDRAIN) || defined(V_ADOPTLIVE)
#define SPLIT		/* plain accesses to the bitmap: the load apart from the store */
#endif
#ifdef V_ADOPTLIVE
#define OWN (me!=NONE)	/* what a thread takes for "I hold my own slot" */
#else
#define OWN (mine!=0)
#endif
#define HOLDS(O) (OWN && (O)==me || hx!=NONE && (O)==hx)
#ifdef V_OWNISHELD
#define E2HOLDS(O) ((O)==me || hx!=NONE && (O)==hx)
#else
#define E2HOLDS(O) HOLDS(O)
#endif

byte inbox[NSLOT];
byte state[NSLOT];
bit  lock[NSLOT];
byte link[NSLAB];
byte owner[NSLAB];
byte rem0[NSLAB];
byte rem1[NSLAB];
byte pend[NSLAB];
byte loc[NSLAB];
short debt[NSLAB];
/* ghosts */
byte freeg[NSLAB];	/* objects that are free (their OR or local free is done) */
byte user[NSLAB];	/* objects in the program's hands or in sheaves */
byte refs[NSLAB];	/* threads that will still touch the slab */
bit  token[NSLAB];	/* pending != 0: one thread or one inbox carries the slab */
bit  inq[NSLAB];	/* in an inbox or in a taken list */
byte ndr;		/* threads in the middle of emptying an inbox */
#ifdef HANDLER
bit  sig;		/* thread 0 is interrupted by its handler */
#endif
#ifdef OP_FORK
bit  forked;		/* this is the child: thread 0 alone */
bit  todo;		/* it has not put the slabs in order yet */
#endif

inline RELEASE(S) {
	assert(refs[S]==0);			/* (a) */
	assert(token[S]==0 && inq[S]==0);	/* (a) (b) */
	assert(pend[S]==0 && rem0[S]==0 && rem1[S]==0);
	assert(freeg[S]==ALL && user[S]==0);
	owner[S] = PAGES; loc[S] = 0; link[S] = NIL; debt[S] = 0; freeg[S] = 0
}
#if defined(V_NODEBT)
#define RELOK(S) (loc[S]==ALL)
#elif defined(V_PENDLOAD)
#define RELOK(S) (loc[S]==ALL && pend[S]==0)
#elif defined(V_BATCH)
#define RELOK(S) (loc[S]==ALL && pend[S]==0)
#else
#define RELOK(S) (loc[S]==ALL && debt[S]==0)
#endif
/* may, not must: covers every release policy */
#ifdef V_MUSTRELEASE
#define MAYRELEASE(S) if :: RELOK(S) -> RELEASE(S) :: else fi
#else
#define MAYRELEASE(S) if :: RELOK(S) -> RELEASE(S) :: skip fi
#endif
#if defined(V_NULL) || defined(V_NULLCOLLECT)
#define NOTNULL (owner[s]!=NONE)
#else
#define NOTNULL 1
#endif
#define RIGHTS(S) assert(owner[S]!=PAGES && HOLDS(owner[S]))

#ifdef SPLIT
#define LOCLOAD(S)  t = loc[S]; td = debt[S]
#define LOCOLD(S)   t
#define DEBTOLD(S)  td
#else
#define LOCOLD(S)   loc[S]
#define DEBTOLD(S)  debt[S]
#endif
inline FOLD(S) {
	RIGHTS(S);
	assert((LOCOLD(S) & w)==0);		/* (c) never free twice */
	assert((freeg[S] & w)==w);
	loc[S] = LOCOLD(S) | w;
#ifndef V_BATCH
	debt[S] = DEBTOLD(S) + CNT(w) - k;
#ifndef V_NEGDEBTOK
	assert(debt[S]>=0);			/* (d) */
#endif
#endif
#ifdef SPLIT
	t = 0; td = 0;
#endif
	k = 0; w = 0
}
inline LOCALFREE() {
	RIGHTS(s);
	assert((loc[s]&b)==0); loc[s] = loc[s] | b; freeg[s] = freeg[s] | b;
	b = 0; s = NONE
}
/* push of s (token and reference are ours) on inbox[o] */
inline PUSHSTEP() {
	assert(inq[s]==0);	/* (b) never in two inboxes, or twice in one */
	assert(owner[s]!=PAGES);/* (a) */
	link[s] = inbox[o]; inbox[o] = s; inq[s] = 1; refs[s]--;
	s = NONE; o = NONE
}

#define SUB(S,M) ((user[S]&(M))==(M)) -> s = S; b = M
#if NSLAB>1
#define USERANY (user[0]|user[1])
#else
#define USERANY (user[0])
#endif
inline PICKBATCH() {
		if
		:: SUB(0,1)
		:: SUB(0,2)
#if CAP>1
		:: SUB(0,3)
#endif
#if NOBJ>2
		:: SUB(0,4)
#if CAP>1
		:: SUB(0,5)
		:: SUB(0,6)
#endif
#if CAP>2
		:: SUB(0,7)
#endif
#endif
#if NSLAB>1
		:: SUB(1,1)
		:: SUB(1,2)
#if CAP>1
		:: SUB(1,3)
#endif
#if NOBJ>2
		:: SUB(1,4)
#if CAP>1
		:: SUB(1,5)
		:: SUB(1,6)
#endif
#if CAP>2
		:: SUB(1,7)
#endif
#endif
#endif
		fi;
		user[s] = user[s] & ~b
}
#define OR0 assert((rem0[s] & b & W0)==0); rem0[s] = rem0[s] | (b & W0); freeg[s] = freeg[s] | (b & W0)
#define OR1 assert((rem1[s] & b & W1)==0); rem1[s] = rem1[s] | (b & W1); freeg[s] = freeg[s] | (b & W1)
#ifdef V_BATCH
#define ADDEND 1
#else
#define ADDEND CNT(b)
#endif

/* remote free of batch b of slab s; entered with refs[s] raised, before the first OR */
inline REMOTE() {
#ifdef V_OWNERFIRST
	atomic { ow = owner[s] }
#endif
#ifdef V_ANNOUNCEFIRST
	atomic { old = pend[s]; pend[s] = pend[s] + CNT(b);
		 if :: old==0 -> token[s] = 1 :: else fi }
#endif
#ifdef V_ONEWORD
	atomic { OR0;
		 old = pend[s]; assert((old==0)==((rem0[s]&~b)==0));
		 pend[s] = pend[s] + CNT(b); b = 0;
		 if
		 :: old==0 -> assert(token[s]==0); token[s] = 1
		 :: else -> refs[s]--; s = NONE; old = 0; goto endagain
		 fi }
#else
	if
	:: atomic { (b & W0) && (b & W1)==0 -> OR0 }
	:: atomic { (b & W0)==0 && (b & W1) -> OR1 }
	:: atomic { (b & W0) && (b & W1) -> OR0 }
	   atomic { OR1 }
	fi;
#ifndef V_ANNOUNCEFIRST
	atomic { assert(owner[s]!=PAGES);	/* (a) */
		 old = pend[s];
		 pend[s] = pend[s] + ADDEND; b = 0;
		 assert(pend[s]<100);
		 if
		 :: old==0 -> assert(token[s]==0); token[s] = 1
		 :: else -> refs[s]--; s = NONE; old = 0; goto endagain
		 fi }
#else
	atomic { b = 0; if :: old!=0 -> refs[s]--; s = NONE; old = 0; goto endagain :: else fi }
#endif
#endif
#ifdef V_OWNERFIRST
	atomic { o = ow; ow = NONE }
#else
	atomic { o = owner[s] }
#endif
#if defined(V_NULL) || defined(V_NULLCOLLECT)
	/* nobody owns it: leave it, the adopter will see */
	if
	:: atomic { o==NONE -> refs[s]--; token[s] = 0; s = NONE; goto endagain }
	:: else
	fi;
#endif
#ifdef V_FINEPUSH
	do
	:: atomic { h = inbox[o] }
	   atomic { link[s] = h }
	   if
	   :: atomic { inbox[o]==h -> link[s] = h; PUSHSTEP(); h = NIL; goto endagain }
	   :: atomic { else }
	   fi
	od
#elif defined(V_LINKAFTER)
	atomic { h = inbox[o]; inq[s] = 1; inbox[o] = s; o = NONE }
	atomic { assert(owner[s]!=PAGES); link[s] = h; refs[s]--; s = NONE; h = NIL; goto endagain }
#else
	atomic { assert(o<NSLOT); PUSHSTEP(); goto endagain }
#endif
}

inline ALLOCBIT(S) {
	if
	:: (loc[S] & 1) -> b = 1
	:: (loc[S] & 3)==2 -> b = 2
	:: (loc[S] & 7)==4 -> b = 4
	fi
}
inline ALLOCSTORE(S) {
	RIGHTS(S);
	assert((freeg[S] & b) && !(user[S] & b));	/* (c) not handed out twice */
	loc[S] = LOCOLD(S) & ~b; freeg[S] = freeg[S] & ~b; user[S] = user[S] | b; b = 0
#ifdef SPLIT
	; t = 0; td = 0
#endif
}
inline NEWSLAB(S) {
	assert(pend[S]==0 && rem0[S]==0 && rem1[S]==0 && debt[S]==0 && inq[S]==0 && token[S]==0 && refs[S]==0);
	loc[S] = ALL; freeg[S] = ALL; user[S] = 0; owner[S] = me
}
#ifdef OP_HELDOPS
#define FREE1	1
#else
#define FREE1	(hx==NONE)	/* less interleaving: no allocation and no free during a visit */
#endif
#ifdef SPLIT
#define ALLOCOP(S) \
	:: atomic { OWN && FREE1 && owner[S]==me && loc[S]!=0 -> LOCLOAD(S); ALLOCBIT(S); ndr++ } \
	   atomic { ALLOCSTORE(S); ndr-- }
#elif defined(OP_HELDOPS)
#define ALLOCOP(S) \
	:: atomic { owner[S]!=PAGES && HOLDS(owner[S]) && loc[S]!=0 -> ALLOCBIT(S); ALLOCSTORE(S) }
#else
#define ALLOCOP(S) \
	:: atomic { OWN && hx==NONE && owner[S]==me && loc[S]!=0 -> ALLOCBIT(S); ALLOCSTORE(S) }
#endif
#ifdef V_ADOPTLIVE
#define MAYADOPT 1
#elif defined(V_ADOPTLIVELOCKED)
#define MAYADOPT 1
#else
#define MAYADOPT (state[hx]==DEAD)
#endif

#define THREADOPS(S) \
	   /* a new slab: metadata as the page allocator left it */ \
	:: atomic { OWN && FREE1 && owner[S]==PAGES -> NEWSLAB(S) } \
	   /* miss: from the bitmap of an own slab */ \
	ALLOCOP(S) \
	   /* release an empty slab of a slot that I hold, at any moment */ \
	:: atomic { owner[S]!=PAGES && owner[S]!=NONE && HOLDS(owner[S]) && RELOK(S) -> RELEASE(S) }

#ifdef OP_VISIT
#define MAYTRY(X) (hx==NONE && X!=me && lock[X]==0)
#else
#define MAYTRY(X) (hx==NONE && me==NONE && lock[X]==0)	/* for a birth only */
#endif
#ifdef V_NOHOLD
#define VISIT(X) \
	:: atomic { hx==NONE && me!=X && state[X]==DEAD && lock[X]==0 -> hx = X; nl = 1 } \
	:: atomic { MAYTRY(X) -> lock[X] = 1; hx = X }
#elif defined(V_LIVEDRAIN)
#define VISIT(X) \
	:: atomic { hx==NONE && me!=X && state[X]==LIVE -> hx = X; nl = 1 } \
	:: atomic { MAYTRY(X) -> lock[X] = 1; hx = X }
#else
#define VISIT(X) \
	:: atomic { MAYTRY(X) -> lock[X] = 1; hx = X }
#endif

#ifdef OP_FORK
/* every word and every inbox starts anew; what other threads had in hand stays with the program */
#ifdef V_FORKEARLY
#define CHILDUSER(S) skip	/* what the interrupted operation has in hand is not the program's */
#else
#define CHILDUSER(S) user[S] = ALL & ~loc[S]
#endif
inline CHILDSLAB(S) {
	if
	:: owner[S]!=PAGES ->
		loc[S] = loc[S] | rem0[S] | rem1[S];
		freeg[S] = loc[S]; CHILDUSER(S)
	:: else -> assert((rem0[S]|rem1[S])==0)
	fi;
	rem0[S] = 0; rem1[S] = 0; pend[S] = 0; debt[S] = 0; link[S] = NIL;
	token[S] = 0; inq[S] = 0; refs[S] = 0
}
inline CHILD(MINE) {
	todo = 0; ndr = 0;
	inbox[0] = NIL; lock[0] = 0; state[0] = (MINE==0 -> LIVE : DEAD);
#if NSLOT>1
	inbox[1] = NIL; lock[1] = 0; state[1] = (MINE==1 -> LIVE : DEAD);
#endif
#if NSLOT>2
	inbox[2] = NIL; lock[2] = 0; state[2] = (MINE==2 -> LIVE : DEAD);
#endif
	CHILDSLAB(0)
#if NSLAB>1
	; CHILDSLAB(1)
#endif
}
#endif

inline Body(M) {
	me = M;
endagain:
	do
	THREADOPS(0)
#if NSLAB>1
	THREADOPS(1)
#endif
	/* ---- frees, flushes ---- */
	:: atomic { FREE1 && USERANY -> PICKBATCH();
		if
		:: owner[s]!=NONE && HOLDS(owner[s]) -> LOCALFREE(); goto endagain
		:: owner[s]!=NONE && !OWN && owner[s]==me -> refs[s]++
		:: else -> refs[s]++; goto remote
		fi }
	   if
	   /* mine (only I can change that), not locked yet; or no lock after a bounded wait */
	   :: atomic { lock[me]==0 ->
		lock[me] = 1; mine = 1; refs[s]--; LOCALFREE(); goto endagain }
	   :: skip
	   fi;
remote:	   REMOTE()

	/* ---- the own lock: taken once per miss ---- */
	:: atomic { me!=NONE && mine==0 && lock[me]==0 -> lock[me] = 1; mine = 1 }
	:: atomic { mine -> lock[me] = 0; mine = 0 }

	/* ---- empty the own inbox (or the held slot's) ---- */
	:: atomic { hx!=NONE && inbox[hx]!=NIL -> assert(NL || lock[hx]);
		l = inbox[hx]; inbox[hx] = NIL; ndr++ }
	   goto taken
	:: atomic { FREE1 && OWN && inbox[me]!=NIL -> l = inbox[me]; inbox[me] = NIL; ndr++ }
taken:	   do
	   :: atomic { s = l; assert(s<NSLAB && inq[s]==1);
#if !defined(V_NOTOKEN) && !defined(V_NULLCOLLECT)
		assert(token[s]==1);
#endif
		o = owner[s];
		assert(o!=PAGES);
#ifdef V_LINKLATE
		k = pend[s]; pend[s] = 0; token[s] = 0;
#else
		l = link[s]; inq[s] = 0;
#ifdef V_NOPASS
		o = NONE; k = pend[s]; pend[s] = 0; token[s] = 0
#else
#ifdef V_REANNOUNCE
		k = pend[s]; pend[s] = 0; token[s] = 0;
#endif
		if
		:: E2HOLDS(o) ->
			o = NONE;
#if !defined(V_WORDSFIRST) && !defined(V_ONEWORD) && !defined(V_REANNOUNCE)
			k = pend[s]; pend[s] = 0; token[s] = 0
#endif
		:: else -> refs[s]++		/* not ours: pass it on */
		fi
#endif
#endif
		}
#ifdef V_LINKLATE
	      atomic { l = link[s]; inq[s] = 0; o = NONE }
#endif
	      if
#if defined(V_NULL) || defined(V_NULLCOLLECT)
	      :: atomic { refs[s]>0 && o==NONE && owner[s]==NONE && token[s] && pend[s]>0 && k==0 -> refs[s]--; token[s] = 0; s = NONE }
#endif
#ifdef V_REANNOUNCE
	      :: atomic { o!=NONE -> assert(o<NSLOT);
		 old = pend[s]; pend[s] = pend[s] + k; k = 0;
		 if
		 :: old==0 -> assert(token[s]==0); token[s] = 1
		 :: else -> refs[s]--; s = NONE; o = NONE; old = 0
		 fi }
		 if
		 :: atomic { s!=NONE -> PUSHSTEP() }
		 :: atomic { s==NONE }
		 fi
#else
	      :: atomic { o!=NONE -> assert(o<NSLOT); PUSHSTEP() }
#endif
	      :: atomic { o==NONE && NOTNULL -> w = rem0[s]; rem0[s] = 0;
#ifdef V_ONEWORD
		k = pend[s]; pend[s] = 0; token[s] = 0
#endif
		}
#ifdef V_WORDSFIRST
		 atomic { w = w | rem1[s]; rem1[s] = 0 }
		 atomic { k = pend[s]; pend[s] = 0; token[s] = 0; FOLD(s); MAYRELEASE(s); s = NONE }
#else
#ifdef SPLIT
		 atomic { w = w | rem1[s]; rem1[s] = 0; LOCLOAD(s) }
		 atomic { FOLD(s); MAYRELEASE(s); s = NONE;
#else
		 atomic { w = w | rem1[s]; rem1[s] = 0; FOLD(s); MAYRELEASE(s); s = NONE;
#endif
			  if :: l==NIL -> ndr--; goto endagain :: else fi }
#endif
	      fi;
	      if
	      :: atomic { l==NIL -> ndr--; goto endagain }
	      :: atomic { else }
	      fi
	   od

#ifdef OP_WORDS
	/* ---- the owner takes the words of an own slab without its token ---- */
	:: atomic { hx==NONE && OWN && owner[0]==me && (rem0[0]|rem1[0]) && debt[0]+pend[0]<=NOBJ -> ndr++; s = 0; w = rem0[s]; rem0[s] = 0 }
	   atomic { w = w | rem1[s]; rem1[s] = 0; FOLD(s); MAYRELEASE(s); s = NONE; ndr-- }
#endif
#ifdef V_NOTOKEN
	/* ---- and pending too ---- */
	:: atomic { hx==NONE && OWN && owner[0]==me && pend[0]!=0 -> ndr++; s = 0; k = pend[s]; pend[s] = 0; token[s] = 0 }
	   atomic { w = rem0[s]; rem0[s] = 0 }
	   atomic { w = w | rem1[s]; rem1[s] = 0; FOLD(s); MAYRELEASE(s); s = NONE; ndr-- }
#endif

#ifdef OP_EXIT
	/*
	 * ---- the thread ends (its sheaves were flushed: see above) ----
	 * It may end without its lock too: then it only says that it is gone.
	 */
#if defined(V_NULL) || defined(V_NULLCOLLECT)
	:: atomic { mine && hx==NONE -> if :: owner[0]==me -> owner[0] = NONE :: else fi;
		state[me] = DEAD; lock[me] = 0; mine = 0; me = NONE }
#else
	:: atomic { mine && hx==NONE -> state[me] = DEAD; lock[me] = 0; mine = 0; me = NONE }
	:: atomic { me!=NONE && mine==0 && hx==NONE -> state[me] = DEAD; me = NONE }
#endif
#endif
#ifdef OP_BIRTH
	/* ---- a thread starts: it won the lock of a dead slot, and keeps it for now ---- */
#ifdef V_STALEBIRTH
	:: atomic { me==NONE && hx!=NONE -> state[hx] = LIVE; me = hx; mine = 1; hx = NONE }
#else
	:: atomic { me==NONE && hx!=NONE && NL==0 && state[hx]==DEAD ->
		state[hx] = LIVE; me = hx; mine = 1; hx = NONE }
#endif
#endif
#if defined(OP_VISIT) || defined(OP_BIRTH)
	/* ---- visits: any slot but the own, LIVE or DEAD, by trylock ---- */
	VISIT(0)
#if NSLOT>1
	VISIT(1)
#endif
#if NSLOT>2
	VISIT(2)
#endif
#ifdef NOLOCKVISIT
	:: atomic { hx!=NONE -> if :: nl -> nl = 0 :: else -> lock[hx] = 0 fi; hx = NONE }
#else
	:: atomic { hx!=NONE -> lock[hx] = 0; hx = NONE }
#endif
#endif
#ifdef OP_VISIT
	/* adoption: both locks; only slabs on a list (with free bits) can be found */
	:: atomic { hx!=NONE && NL==0 && OWN && MAYADOPT && owner[0]==hx && loc[0]!=0 -> owner[0] = me }
#if NSLAB>1
	:: atomic { hx!=NONE && NL==0 && OWN && MAYADOPT && owner[1]==hx && loc[1]!=0 -> owner[1] = me }
#endif
#endif
#if defined(V_NULL) || defined(V_NULLCOLLECT)
	/* ownerless slab adopted from the node's list */
#ifdef V_NULL
	:: atomic { OWN && owner[0]==NONE && loc[0]!=0 -> owner[0] = me }
#else
	:: atomic { OWN && owner[0]==NONE && loc[0]!=0 -> owner[0] = me; ndr++ }
	   if
	   :: atomic { pend[0]!=0 -> s = 0; k = pend[s]; pend[s] = 0; token[s] = 0 }
	      atomic { w = rem0[s]; rem0[s] = 0 }
	      atomic { w = w | rem1[s]; rem1[s] = 0; FOLD(s); MAYRELEASE(s); s = NONE; ndr-- }
	   :: atomic { pend[0]==0 -> ndr-- }
	   fi
#endif
#endif
#ifdef OP_FORK
#if !defined(HANDLER)
	/* thread 0 forks outside any operation (atfork handlers add nothing: they only wait) */
	:: atomic { M==0 && _pid==1 && forked==0 && mine==0 && hx==NONE -> forked = 1; todo = 1 }
#endif
	/* the child's first entry that finds nothing of its own thread under way */
	:: atomic { M==0 && todo && mine==0 && hx==NONE -> CHILD(me) }
#endif
	od
}
#ifdef V_OWNERFIRST
#define LOCALS1 byte me = NONE, hx = NONE, s = NONE, o = NONE, l = NIL, h = NIL, b, w, k, old, ow = NONE; bit mine
#else
#define LOCALS1 byte me = NONE, hx = NONE, s = NONE, o = NONE, l = NIL, h = NIL, b, w, k, old; bit mine
#endif
#ifdef NOLOCKVISIT
#define LOCALS2 LOCALS1; bit nl
#else
#define LOCALS2 LOCALS1
#endif
#ifdef SPLIT
#define LOCALS LOCALS2; byte t; short td
#else
#define LOCALS LOCALS2
#endif

proctype Thr0(byte m) RUN0 { LOCALS; Body(m) }
#if NT>1
proctype Thr(byte m) RUNX { LOCALS; Body(m) }
#endif

/* a thread without a slot, or one that frees only: remote path */
#if NF>0
proctype Freer() RUNX {
	byte s = NONE, o = NONE, h = NIL, b, old;
#ifdef V_OWNERFIRST
	byte ow = NONE;
#endif
endagain:
	do
	:: atomic { USERANY -> PICKBATCH(); refs[s]++ }
	   REMOTE()
	od
}
#endif

#ifdef HANDLER
/* thread 0's signal handler, while thread 0 is busy in any of its operations: remote path
 * for one batch at a time; thread 0 does not run meanwhile */
proctype Handler() {
	byte s = NONE, o = NONE, h = NIL, b, old;
endagain:
	do
	:: atomic { sig==1 -> sig = 0 }
	:: atomic { sig==0 && USERANY -> sig = 1; PICKBATCH(); refs[s]++ }
	   REMOTE()
#ifdef OP_FORK
	/* fork from the handler: the interrupted operation goes on in the child afterwards */
	:: atomic { forked==0 -> forked = 1; todo = 1; sig = 0;
#ifdef V_FORKEARLY
		if :: lock[0]==0 -> CHILD(0) :: else fi
#endif
		}
#endif
	od
}
#define NH 1
#else
#define NH 0
#endif

/*
 * Whenever nobody is in the middle of anything: emptying all the inboxes, each slab by the
 * one who has its owner's rights, brings every freed object home (nothing lost for ever).
 */
#if NSLAB>1
#define QUIET (ndr==0 && refs[0]==0 && refs[1]==0)
#else
#define QUIET (ndr==0 && refs[0]==0)
#endif
proctype Janitor() {
	byte i, j, m;
endj:	do
	:: d_step {
	QUIET ->
	i = 0; m = 0;
	do
	:: i<NSLOT ->
		j = inbox[i];
		do
		:: j!=NIL ->
			assert(j<NSLAB && inq[j] && owner[j]!=PAGES);
			assert((m & (1<<j))==0);
			m = m | (1<<j);
			j = link[j]
		:: else -> break
		od;
		i++
	:: else -> break
	od;
	i = 0;
	do
	:: i<NSLAB ->
		if
		:: owner[i]!=PAGES && owner[i]!=NONE ->
			assert(inq[i]==((m>>i)&1));
			assert(inq[i]==token[i]);
			assert(inq[i]==(pend[i]!=0));
			assert(inq[i] || (rem0[i]|rem1[i])==0);		/* (c) no bit is stranded */
			assert((loc[i]|rem0[i]|rem1[i])==freeg[i]);	/* (c) no object is lost */
#ifndef V_BATCH
			assert(debt[i]+CNT(rem0[i]|rem1[i])==pend[i]);
#endif
#ifndef V_FORKEARLY
			assert((freeg[i]|user[i])==ALL && (freeg[i]&user[i])==0)
#else
			skip
#endif
		:: else
		fi;
		i++
	:: else -> break
	od;
	i = 0; j = 0; m = 0
	}
	od
}

init {
	byte i;
	atomic {
	i = 0; do :: i<NSLOT -> inbox[i] = NIL; state[i] = DEAD; i++ :: else -> break od;
	i = 0; do :: i<NSLAB -> link[i] = NIL; owner[i] = PAGES; i++ :: else -> break od;
	state[0] = LIVE; run Thr0(0);
#if NT>1
	run Thr(M1);
#if M1!=NONE
	state[M1] = LIVE;
#endif
#endif
#if NT>2
	run Thr(M2);
#if M2!=NONE
	state[M2] = LIVE;
#endif
#endif
#if NF>0
	run Freer();
#endif
#if NF>1
	run Freer();
#endif
#ifdef HANDLER
	run Handler();
#endif
	run Janitor();
	i = 0
	}
}
