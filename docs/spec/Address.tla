------------------------------- MODULE Address -------------------------------
(* A customer changes where an order goes, several times perhaps. A change may *)
(* be sent twice without harm, so what is not answered is sent again; but an   *)
(* old one may come in after a newer one, so the OMS's address is compared.    *)
(*                                                                             *)
(* Assumed: messages and answers are lost or overtake one another; the order   *)
(* leaves at some time, and the OMS then refuses. Code: change_address and     *)
(* compare_address in actions/address; moves: cancellations/states.py.         *)
EXTENDS Naturals, FiniteSets

CONSTANTS Count,     \* so many changes, numbered in their order
          Mutation   \* what is left out, to show that it is needed; "none"

Changes == 1..Count

VARIABLES state,     \* of each change, as its row says
          ours,      \* where the order goes by our row: a change, or 0 for the first address
          due,       \* whether the OMS's address is to be compared (`address_due_at`)
          wire,      \* changes under way to the OMS: as many times as sent, counted up to 2
          answer,    \* changes that the OMS has answered with yes
          theirs,    \* where the OMS sends it
          sends,     \* how often each was sent: bounds the model
          hasLeft    \* whether the order has left

vars == <<state, ours, due, wire, answer, theirs, sends, hasLeft>>

ChangeMoves == { <<"pending", "confirmed">>, <<"pending", "refused">>, <<"pending", "too_late">>,
                 <<"pending", "superseded">>, <<"confirmed", "pending">> }

Begun == {c \in Changes : state[c] # "none"}
Pending == {c \in Begun : state[c] = "pending"}
Counting == {c \in Begun : state[c] \notin {"superseded", "refused"}}
Last == IF Counting = {} THEN 0 ELSE CHOOSE c \in Counting : \A d \in Counting : d <= c

Init == /\ state = [c \in Changes |-> "none"]
        /\ ours = 0 /\ theirs = 0 /\ due = FALSE /\ hasLeft = FALSE
        /\ wire = [c \in Changes |-> 0] /\ sends = [c \in Changes |-> 0] /\ answer = {}

Claim(c, after) == <<state[c], after>> \in ChangeMoves /\ state' = [state EXCEPT ![c] = after]

(* One is pending at a time: a unique index. A newer one ends it; one that we keep as ours,  *)
(* and that is only sent once more, stays confirmed: the newer one may be refused.           *)
Ask(c) == /\ state[c] = "none" /\ ~hasLeft /\ \A d \in 1..(c - 1) : state[d] # "none"
          /\ state' = [d \in Changes |-> IF d = c THEN "pending"
                        ELSE IF state[d] = "pending" /\ Mutation # "no unique index"
                        THEN IF ours = d THEN "confirmed" ELSE "superseded"
                        ELSE state[d]]
          /\ due' = (due \/ Pending # {})
          /\ UNCHANGED <<ours, wire, answer, theirs, sends, hasLeft>>

Tell(c) == /\ state[c] = "pending" /\ sends[c] < 2
           /\ wire' = [wire EXCEPT ![c] = @ + 1] /\ sends' = [sends EXCEPT ![c] = @ + 1]
           /\ UNCHANGED <<state, ours, due, answer, theirs, hasLeft>>

Arrive(c) == /\ wire[c] > 0
             /\ wire' = [wire EXCEPT ![c] = @ - 1]
             /\ IF hasLeft THEN UNCHANGED <<theirs, answer>> ELSE theirs' = c /\ answer' = answer \cup {c}
             /\ UNCHANGED <<state, ours, due, sends, hasLeft>>

Lose(c) == /\ wire[c] > 0 /\ wire' = [wire EXCEPT ![c] = @ - 1]
           /\ UNCHANGED <<state, ours, due, answer, theirs, sends, hasLeft>>

(* An answer, or a reading that shows it. Where another may still be under way, they are compared. *)
Confirm(c) == /\ c \in answer \/ theirs = c
              /\ Claim(c, "confirmed") /\ ours' = c
              /\ due' = IF Mutation = "no comparison" THEN due ELSE TRUE
              /\ answer' = answer \ {c}
              /\ UNCHANGED <<wire, theirs, sends, hasLeft>>

(* At once, to who asks; one that is sent once more is too late then. *)
Refuse(c) == /\ state[c] = "pending" /\ ours # c /\ sends[c] = 1 /\ wire[c] = 0 /\ c \notin answer /\ theirs # c
             /\ Claim(c, "refused")
             /\ due' = IF Mutation = "no comparison" THEN due ELSE TRUE
             /\ UNCHANGED <<ours, wire, answer, theirs, sends, hasLeft>>

(* Only after a reading that does not show it. *)
EndTooLate(c) == /\ hasLeft /\ theirs # c
                 /\ Claim(c, "too_late")
                 /\ due' = IF Mutation = "no comparison" THEN due ELSE TRUE
                 /\ UNCHANGED <<ours, wire, answer, theirs, sends, hasLeft>>

(* After the grace: nothing is on its way. The customer's last change counts, where the OMS takes it. *)
Compare == /\ due /\ Pending = {} /\ \A c \in Changes : wire[c] = 0
           /\ due' = FALSE
           /\ IF theirs = ours THEN UNCHANGED <<state, ours, sends>>
              ELSE IF Last # 0 /\ state[Last] = "confirmed"
              THEN Claim(Last, "pending") /\ sends' = [sends EXCEPT ![Last] = 0] /\ UNCHANGED ours
              ELSE ours' = theirs /\ UNCHANGED <<state, sends>>
           /\ UNCHANGED <<wire, answer, theirs, hasLeft>>

Leave == /\ ~hasLeft /\ hasLeft' = TRUE
         /\ UNCHANGED <<state, ours, due, wire, answer, theirs, sends>>

Works(c) == Tell(c) \/ Confirm(c) \/ EndTooLate(c)
Next == Compare \/ Leave \/ \E c \in Changes : Ask(c) \/ Works(c) \/ Refuse(c) \/ Arrive(c) \/ Lose(c)

Spec == /\ Init /\ [][Next]_vars /\ WF_vars(Compare) /\ WF_vars(Leave)
        /\ \A c \in Changes : WF_vars(Works(c)) /\ WF_vars(Arrive(c) \/ Lose(c))

TypeOK == ours \in 0..Count /\ theirs \in 0..Count
OnePending == Cardinality(Pending) <= 1
LegalMoves == [][\A c \in Changes : state'[c] # state[c] /\ state[c] # "none" =>
                   <<state[c], state'[c]>> \in ChangeMoves]_vars

(* In the end both sides send it to one address, and no change is left open. *)
Agreement == <>[](ours = theirs)
NothingStuck == <>[](Pending = {})
===============================================================================
