"""Simplified Chinese of what scenes and preferences remember: names, tooltips and choices. Words alone."""

PROPERTIES = {
    "Engine Python": "引擎的 Python",
    "Python interpreter of the environment that holds the engine. Empty: found automatically": (
        "引擎所在环境的 Python 解释器。留空则自动查找"
    ),
    "Device": "设备",
    "Where the engine computes": "引擎用什么硬件计算",
    "Automatic": "自动",
    "The fastest device the engine finds": "引擎能找到的最快设备",
    "Processor": "处理器",
    "Always the processor": "始终使用处理器",
    "NVIDIA or AMD": "NVIDIA 或 AMD",
    "The graphics card, by CUDA or ROCm": "通过 CUDA 或 ROCm 使用显卡",
    "Apple": "Apple",
    "The graphics processor of an Apple computer": "苹果电脑的图形处理器",
    "Job Folder": "任务文件夹",
    "Where shots that name no folder of their own keep frames, guides, painted keys and results. // is the folder of the"
    " Blender file": ("没有指定文件夹的镜头把帧、引导图、手绘帧和结果存放在这里。// 表示 Blender 文件所在的文件夹"),
    "Where saved styles are kept. Empty: in Blender's user folder, shared by all Blender versions": (
        "已保存的风格存放在哪里。留空则存放在 Blender 的用户文件夹中，由所有 Blender 版本共用"
    ),
    "Engine Folder": "引擎文件夹",
    "Where Install Engine makes the engine's environment. Empty: in Blender's user folder, shared by all Blender versions": (
        "“安装引擎”在哪里建立引擎的环境。留空则建在 Blender 的用户文件夹中，由所有 Blender 版本共用"
    ),
    "Torch": "Torch",
    "Which torch is installed": "安装哪一种 torch",
    "What fits the graphics card of this machine": "适合本机显卡的版本",
    "CPU": "CPU",
    "CUDA": "CUDA",
    "CUDA12": "CUDA12",
    "MPS": "MPS",
    "ROCM": "ROCM",
    "XPU": "XPU",
    "Wheels": "Wheel 文件夹",
    "A folder with the wheels of torch and the engine's other packages, to install without a network. Empty: they are"
    " fetched from the package index": (
        "存放 torch 及引擎其他依赖包的 wheel 文件的文件夹，用于离线安装。留空则从软件包索引下载"
    ),
    "Install With": "安装所用 Python",
    "The Python that makes the environment. Empty: Blender's own, or one that is installed": (
        "用哪个 Python 建立环境。留空则使用 Blender 自带的，或系统中已安装的"
    ),
    "Wait for Engine": "等待引擎",
    "How long the engine may take to start before it is given up": "引擎启动最多等待多久，超时则放弃",
    "the preferences": "偏好设置",
    "Where this shot keeps its frames, guides, painted keys and results. Empty: as in the preferences": (
        "此镜头的帧、引导图、手绘帧和结果存放在哪里。留空则按偏好设置"
    ),
    "Picture": "画面",
    "What the frames to be painted over show": "用来绘制的帧显示什么",
    "Render": "渲染",
    "The scene's own render engine and settings": "使用场景自己的渲染引擎和设置",
    "Solid View": "实体视图",
    "The look of the viewport's Solid shading: fastest": "视图“实体”着色的外观，速度最快",
    "Material View": "材质视图",
    "The look of the viewport's Material Preview": "视图“材质预览”的外观",
    "Train For": "训练时长",
    "The longest that training may take; about a minute for each painted frame is enough": "训练上限；每个手绘帧约一分钟就够",
    "Seed": "随机种",
    "The same seed gives the same result": "相同的随机种得到相同的结果",
    "From the render (0) to the painting (1)": "从渲染画面 (0) 到手绘画面 (1)",
    "How much the painting follows the light as it changes in the scene. At 0 light stays as painted": (
        "画面在多大程度上跟随场景中光照的变化。为 0 时光照保持绘制时的样子"
    ),
    "How much of lines and strokes is laid on: 0 none, 1 as painted, 2 twice as strong": (
        "叠加多少线条和笔触：0 为没有，1 与手绘相同，2 为两倍"
    ),
    "Objects": "物体",
    "Which objects are painted": "绘制哪些物体",
    "All": "全部",
    "Every object that the shot shows": "镜头中出现的所有物体",
    "Collection": "集合",
    "The objects of one collection and of those in it; the others stay as rendered": (
        "某个集合及其子集合中的物体，其余保持渲染的样子"
    ),
    "Selected": "选中项",
    "The objects that are selected when Stylise is pressed; the others stay as rendered": (
        "按下“风格化”时选中的物体，其余保持渲染的样子"
    ),
    "Its objects are painted, the others stay as rendered": "绘制其中的物体，其余保持渲染的样子",
    "Keep Background": "保留背景",
    "What is no object stays as rendered: sky, world, what is behind the scene": (
        "不属于任何物体的部分保持渲染的样子：天空、世界环境和场景后方"
    ),
    "Keep Transparency": "保留透明",
    "Where the render is transparent, the result is": "渲染透明之处，结果也透明",
    "File": "文件",
    "The kind of file of the finished frames": "完成帧的文件类型",
    "PNG, 8 bit": "PNG，8 位",
    "As the frames are shown": "与帧的显示效果相同",
    "PNG, 16 bit": "PNG，16 位",
    "As the frames are shown, in finer steps": "与帧的显示效果相同，色阶更细",
    "OpenEXR": "OpenEXR",
    "Linear, half float, for compositing": "线性，半精度浮点，用于合成",
    "Name of the saved style that this shot uses. Empty: the style trained on its keys": (
        "此镜头使用的已保存风格的名称。留空则使用由其手绘帧训练的风格"
    ),
    "The saved style that this shot uses": "此镜头使用的已保存风格",
    "The saved style '{name}'": "已保存的风格“{name}”",
    "This Shot's Own": "此镜头自己的",
    "The style trained on this shot's keys": "由此镜头的手绘帧训练的风格",
    "Use": "使用",
    "What the saved style is for": "已保存的风格用来做什么",
    "Paint With It": "用它绘制",
    "Stylise paints with the saved style, without keys of this shot's own": (
        "“风格化”用已保存的风格绘制，此镜头不需要自己的手绘帧"
    ),
    "Start From It": "以它为起点",
    "Train Style starts from the saved style and learns this shot's keys in less time": (
        "“训练风格”从已保存的风格开始，用更短的时间学会此镜头的手绘帧"
    ),
    "Camera Stands Still": "摄像机静止",
    "What rests in the footage is background: with Keep Background on it stays as filmed": (
        "素材中静止的部分是背景：开启“保留背景”时保持拍摄的样子"
    ),
    "How": "方式",
    "How two strips are put together": "如何合并两个片段",
    "Cross Fade": "交叉淡化",
    "From the lower strip to the upper one, over the frames that both show": "在两个片段重叠的帧上，从下方片段过渡到上方片段",
    "Mask": "遮罩",
    "The upper strip where a mask is white": "遮罩为白色处显示上方片段",
    "The upper strip where the objects of a collection are seen": "看得见集合中物体之处显示上方片段",
    "Folder of pictures named by their frame, as 0001.png; where they are white the upper strip is seen": (
        "图片文件夹，文件以帧号命名，如 0001.png；白色处显示上方片段"
    ),
    "The upper strip is seen where its objects are": "其中物体所在之处显示上方片段",
    "Feather": "羽化",
    "Pixels over which an edge is softened": "边缘柔化的像素数",
    "Frames": "帧",
    "How many frames to play on after the last key": "在最后一个关键帧之后续演多少帧",
    "Model": "模型",
    "How motion is made: auto takes the network where it helps, baseline never": (
        "运动如何生成：auto 在神经网络有帮助时使用它，baseline 从不使用"
    ),
    "How motion is made": "运动如何生成",
    "Plain Curves": "普通曲线",
    "LSTM Network": "LSTM 网络",
    "The network where it helps, plain curves elsewhere": "在有帮助之处使用神经网络，其余用普通曲线",
    "Never a network: smooth curves through your keys": "从不使用神经网络：穿过关键帧的平滑曲线",
    "The network '{name}' of the engine": "引擎的神经网络“{name}”",
    "Every Frame": "逐帧",
    "A key on every frame. Otherwise few keys, within the stated bound of what was made": (
        "每一帧都有关键帧。否则只保留少量关键帧，误差在设定范围之内"
    ),
    "Within": "误差",
    "How many degrees the curves between few keys may be off at any frame": "关键帧较少时，曲线在任一帧上最多可偏差多少度",
    "Lengths": "长度",
    "How many bone lengths locations may be off at any frame": "位置在任一帧上最多可偏差多少个骨骼长度",
    "Variation": "变化",
    "How far other takes stray from the first: V or the mouse wheel shows the next one": (
        "其他版本与第一个相差多大：按 V 或滚动鼠标滚轮查看下一个"
    ),
    "Lock Feet": "锁定脚部",
    "What stands on the ground in two keys stays where it is between them": "在两个关键帧中都踩在地面上的部位，在其间保持不动",
    "Ghost Every": "残影间隔",
    "Frames from one ghost pose to the next while a result is looked at; 0 for no ghosts": (
        "查看结果时，相邻两个残影姿态之间的帧数；0 为不显示残影"
    ),
    "Folder of a motion style that was learned from your actions, empty for none": (
        "从你的动作中学到的运动风格所在的文件夹，留空则不使用"
    ),
    "Actions": "动作",
    "Names of the actions to learn from: * stands for anything, commas part several": (
        "用来学习的动作名称：* 代表任意字符，多个名称用逗号分隔"
    ),
    "Learn For": "学习时长",
    "How long to learn from your actions": "用多长时间学习你的动作",
    "To Next Key": "到下一关键帧",
    "Play on so that the motion arrives at your next key, however far it is": "续演并到达你的下一个关键帧，无论相距多远",
    "Blend": "混合",
    "Frames on either side of the joint that may change": "衔接处两侧可以改动的帧数",
    "Keep Travelling": "继续前进",
    "The rig goes on travelling and turning; otherwise it stays in place": "绑定继续移动和转向；否则留在原地",
    "More Cycles": "更多循环",
    "Cycles to play after the first, each a little different": "在第一个循环之后再播放多少个循环，每个略有不同",
    "Cycles Modifier": "循环修改器",
    "Let Blender repeat the curves for ever by its Cycles modifier": "用 Blender 的“循环”修改器无限重复曲线",
    "Jitter Below": "抖动阈值",
    "Seconds below which a wobble counts as jitter, 0 for none": "短于多少秒的晃动算作抖动，0 为不处理",
    "Lock Contacts": "锁定接触",
    "Hold feet where they stand": "让脚停在踩住的位置",
    "Saved Sequences": "已保存的序列",
    "Where learned sequences are kept. Empty: in Blender's user folder, shared by all Blender versions": (
        "学习过的序列存放在哪里。留空则存放在 Blender 的用户文件夹中，由所有 Blender 版本共用"
    ),
    "What is made of the picture sequence": "由图像序列生成什么",
    "What is made. Not set: as the scene says": "生成什么。未设置时以场景设置为准",
    "Not set: as the scene says": "未设置时以场景设置为准",
    "More frames after the last one": "在最后一帧之后生成更多帧",
    "A cycle without a seam: the last frame leads into the first": "没有接缝的循环：最后一帧接回第一帧",
    "Another take of the same: another seed gives another one": "同一内容的另一个版本：换一个随机种就换一个版本",
    "Frames between those that are there: missing ones, or a slower motion": "在已有的帧之间生成：补上缺失的帧，或放慢运动",
    "One picture moves as a learned sequence does": "让一张图片像学习过的序列那样动起来",
    "How many frames are made": "生成多少帧",
    "Times Slower": "放慢倍数",
    "How many times slower the motion becomes. Where the sequence misses frames, they alone are made": (
        "运动放慢多少倍。序列缺帧时只补上缺失的帧"
    ),
    "How far a take may stray from the sequence: 0 keeps close to it, 1 goes its own way": (
        "新版本可以偏离原序列多远：0 紧跟原序列，1 自由发挥"
    ),
    "How long the sequence is learned. That is done once for each sequence; longer gives sharper pictures": (
        "学习序列的时长。每个序列只学一次；时间越长画面越清晰"
    ),
    "Motion Of": "运动取自",
    "Name of the saved sequence whose motion is used. Empty: what was learned of this one": (
        "使用其运动的已保存序列的名称。留空则使用从当前序列学到的"
    ),
    "Only": "仅限",
    "The objects of this collection are made anew and the rest of the captured shot stays, as a pot under its fire."
    " Empty: the whole picture": (
        "只重新生成此集合中的物体，采集镜头的其余部分保持不变，例如只生成火焰而保留锅。留空则为整个画面"
    ),
    "Last Take": "最近的版本",
    "Folder of the frames that were made last": "最近生成的帧所在的文件夹",
    "Source": "源",
    "Where the pictures come from": "图片从哪里来",
    "Strip": "片段",
    "A movie or image strip of the Video Sequencer: the active one, or the one that is named": (
        "视频序列编辑器中的影片或图像片段：活动片段，或指定名称的片段"
    ),
    "Files": "文件",
    "A folder of numbered pictures, one picture, or a movie": "编号图片的文件夹、一张图片或一个影片",
    "Shot": "镜头",
    "The captured shot of the scene, or its footage": "场景采集的镜头，或其素材",
    "Name of the strip. Empty: the active one": "片段的名称。留空则为活动片段",
    "A folder of numbered pictures, one of them, or a movie. Empty: what the Image Editor shows": (
        "编号图片的文件夹、其中一张图片或一个影片。留空则为图像编辑器中显示的内容"
    ),
    "Steps": "步数",
    "Stop after so many steps of training; 0: when the time is up": "训练到这么多步后停止；0 表示到时间为止",
    "Start from what was learned before, not from nothing": "从之前学到的继续，而不是从头开始",
    "Save it under this name. Empty: do not": "以此名称保存。留空则不保存",
    "A name that no saved sequence has yet": "尚未被已保存的序列使用的名称",
    "Empty: the learned sequence that this scene has chosen": "留空则为此场景所选的学习过的序列",
}
