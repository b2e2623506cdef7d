"""The smallest SUMO net with a signal: two edges, one junction."""

GOOD = """<net version="1.20">
<location netOffset="0,0" convBoundary="0,0,1,1" origBoundary="0,0,1,1" projParameter="!"/>
<edge id=":m_0" function="internal"><lane id=":m_0_0" index="0" speed="10" length="4" shape="98,0 102,0"/></edge>
<edge id="a" from="w" to="m" priority="1"><lane id="a_0" index="0" speed="10" length="98" shape="0,0 98,0"/></edge>
<edge id="b" from="m" to="e" priority="1"><lane id="b_0" index="0" speed="10" length="98" shape="102,0 200,0"/></edge>
<tlLogic id="m" type="static" programID="0" offset="0"><phase duration="30" state="G"/><phase duration="3" state="y"/></tlLogic>
<junction id="w" type="dead_end" x="0" y="0" incLanes="" intLanes="" shape="0,0"/>
<junction id="m" type="traffic_light" x="100" y="0" incLanes="a_0" intLanes=":m_0_0" shape="0,0">
<request index="0" response="0" foes="0" cont="0"/>
</junction>
<junction id="e" type="dead_end" x="200" y="0" incLanes="b_0" intLanes="" shape="0,0"/>
<connection from="a" to="b" fromLane="0" toLane="0" via=":m_0_0" tl="m" linkIndex="0" dir="s" state="O"/>
<connection from=":m_0" to="b" fromLane="0" toLane="0" dir="s" state="M"/>
</net>
"""
